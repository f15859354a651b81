"""Small pictures in the terminal: which protocol, what is written, and never where they do not belong."""

import base64
import io
import os
import re
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw

from photopal.cli.terminal import show_picture
from photopal.config import load_settings
from photopal.library import Library
from photopal.photos import Exif, Photo


@pytest.mark.parametrize(
    ("environ", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KONSOLE_VERSION": "230400"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "dumb", "KITTY_WINDOW_ID": "1"}, None),
        ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, None),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux"}, None),
        ({"TERM": "xterm-kitty", "PHOTOPAL_PICTURES": "off"}, None),
        ({"TERM": "tmux", "TMUX": "/tmp/tmux", "PHOTOPAL_PICTURES": "sixel"}, "sixel"),
        ({}, None),
    ],
)
def test_the_protocol_is_told_by_the_environment_or_by_the_user(environ, protocol, tmp_path):
    settings = load_settings(environ={"PHOTOPAL_HOME": str(tmp_path), **environ})
    assert settings.picture_protocol == protocol


@pytest.fixture
def picture():
    drawn = Image.new("RGB", (160, 120), (250, 250, 240))
    ImageDraw.Draw(drawn).rectangle((20, 30, 90, 100), fill=(200, 20, 40))
    ImageDraw.Draw(drawn).rectangle((100, 10, 150, 60), fill=(10, 60, 200))
    return drawn


def written(picture, protocol, **options):
    out = io.StringIO()
    show_picture(out, picture, protocol, rows=6, **options)
    return out.getvalue()


def test_kitty_is_sent_a_png_in_pieces_and_text_stands_beside_it(picture):
    text = written(picture, "kitty", beside=["Anna", "on the beach"])
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert all(len(data) <= 4096 for _, data in pieces)
    assert ("c=16" in pieces[0][0], "r=6" in pieces[0][0]) == (True, True)
    assert [facts[-3:] for facts, _ in pieces] == ["m=1"] * (len(pieces) - 1) + ["m=0"]
    with Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in pieces)))) as sent:
        assert np.array_equal(np.asarray(sent.convert("RGB")), np.asarray(picture))
    assert text.startswith("\n" * 6 + "\x1b[6A\x1b7")
    assert "\x1b8\x1b[18CAnna\r\n\x1b[18Con the beach\r\n" in text
    assert text.endswith("\r\n" * 4)


def test_iterm2_is_sent_a_file_with_its_size(picture):
    [(size, data)] = re.findall(
        r"\x1b\]1337;File=size=(\d+);.*inline=1:([^\x07]*)\x07", written(picture, "iterm2")
    )
    content = base64.b64decode(data)
    assert len(content) == int(size)
    with Image.open(io.BytesIO(content)) as sent:
        assert (sent.format, sent.size) == ("JPEG", (160, 120))


def test_sixels_are_the_picture(picture):
    [body] = re.findall(r"\x1bPq(.*?)\x1b\\", written(picture, "sixel"))
    assert np.abs(read_sixels(body).astype(int) - np.asarray(picture)).max() <= 4


def read_sixels(body):
    """A picture `[height, width, 3]` from sixels."""
    width, height = map(int, re.match(r'"1;1;(\d+);(\d+)', body).groups())
    pixels = np.zeros((height, width, 3), np.uint8)
    colors, color, x, top = {}, 0, 0, 0
    for number, rgb, repeat, letter, control in re.findall(
        r"#(\d+)((?:;\d+){4})?|(?:!(\d+))?([?-~])|([$-])", body[body.index("#") :]
    ):
        if number:
            color = int(number)
            if rgb:
                colors[color] = [int(part) * 255 // 100 for part in rgb.split(";")[2:]]
        elif letter:
            for bit in range(6):
                if (ord(letter) - 63) >> bit & 1:
                    pixels[top + bit, x : x + int(repeat or 1)] = colors[color]
            x += int(repeat or 1)
        else:
            x, top = 0, top + 6 * (control == "-")
    return pixels


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_search_shows_pictures_at_a_terminal_that_can_and_nowhere_else(home, picture, run):
    import pty

    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG")
    with Library(home / "library.db") as library:
        library.photos.add(
            Photo(
                home / "a.jpg",
                f"{1:032x}",
                1,
                1,
                160,
                120,
                "JPEG",
                Exif(),
                jpeg.getvalue(),
            )
        )

    def printed(*words, **environ):
        pid, terminal = pty.fork()
        if not pid:
            clean = {**os.environ, "PHOTOPAL_HOME": str(home), "TERM": "xterm-kitty", **environ}
            os.execve(sys.executable, [sys.executable, "-m", "photopal", "search", *words], clean)
        text = b""
        while True:
            try:
                piece = os.read(terminal, 1 << 16)
            except OSError:
                break
            if not piece:
                break
            text += piece
        os.close(terminal)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        return text

    assert b"\x1b_G" in printed()
    assert str(home / "a.jpg").encode() in printed()
    for words, environ in (
        (["--no-pictures"], {}),
        (["--json"], {}),
        ([], {"NO_COLOR": "1"}),
        ([], {"TERM": "xterm"}),
    ):
        assert b"\x1b_G" not in printed(*words, **environ)
    # Not even where colors are forced into a pipe.
    piped = run("search", TERM="xterm-kitty", FORCE_COLOR="1", NO_COLOR="").stdout
    assert (str(home / "a.jpg") in piped, "\x1b_G" in piped) == (True, False)
