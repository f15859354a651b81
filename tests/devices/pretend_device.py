"""A pretend accelerator in pure Python, so that code for GPUs can be held to its promises without one.

A tensor on the device "pretend" carries a CPU tensor, and every operation is carried out on what is carried.
So answers are those of the CPU, and two things can be seen that the CPU hides:

- An operation that mixes tensors of this device and of the CPU raises `RuntimeError`, as on CUDA, and
  with CUDA's exceptions: a CPU tensor without dimensions counts as a number, and indices may be on the CPU.
- What makes the host wait for a GPU is counted, with the line of photopal that asked for it: numbers that are
  read (`.item()`, `.tolist()`, `if tensor`, copies to the CPU), sizes that depend on numbers (`nonzero`,
  boolean masks), and blocking copies to the device, for which PyTorch waits too.

It shows nothing of a GPU's memory, speed, kernels or rounding.

It stands on `torch.utils.backend_registration._setup_privateuseone_for_python_backend`, which PyTorch calls
experimental and older releases lack; `why_not()` says so then. Registering lasts as long as the process, and
changes nothing for tensors of other devices.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch.utils import backend_registration

import photopal

NAME = "pretend"
_KEY = "PrivateUse1"  # the dispatch key that PyTorch keeps for backends from elsewhere
_PACKAGE = str(Path(photopal.__file__).parent)

# Their own implementations make a tensor, or another view of the very same storage, and stay as they are.
_LEFT_ALONE = (
    "_copy_from", "_efficientzerotensor", "_has_compatible_shallow_copy_type", "_local_scalar_dense",
    "_reshape_alias", "_to_copy", "alias", "copy_", "detach", "empty", "is_pinned", "lift", "new_empty",
    "pin_memory", "record_stream", "resize", "set_", "to.",
)  # fmt: skip
_WAITING = {
    # Numbers are read,
    "aten::_local_scalar_dense", "aten::equal", "aten::is_nonzero",
    # or decide on a size.
    "aten::nonzero", "aten::masked_select", "aten::bincount", "aten::_unique2", "aten::unique_dim",
}  # fmt: skip
_INDEXING = {"aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_"}


class Waits:
    """How often the host waited, by the line of photopal that made it wait."""

    def __init__(self) -> None:
        self.lines: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """All of them."""
        return self.lines.total()


_counters: list[Waits] = []


@contextmanager
def count_waits() -> Iterator[Waits]:
    """Count within the block how often the host waits for the device."""
    waits = Waits()
    _counters.append(waits)
    try:
        yield waits
    finally:
        _counters.remove(waits)


def why_not() -> str | None:
    """Why this PyTorch has no place for the device; None where it has."""
    has_api = hasattr(backend_registration, "_setup_privateuseone_for_python_backend")
    if has_api and hasattr(torch._C, "_acc") and hasattr(torch.library.Library, "fallback"):
        return None
    return f"PyTorch {torch.__version__} cannot have a device written in Python"


@functools.cache
def register() -> torch.device:
    """Make the device known to PyTorch, once in a process."""
    backend_registration._setup_privateuseone_for_python_backend(NAME)
    every = torch.library.Library("_", "IMPL")
    every.fallback(_run, _KEY)
    aten = torch.library.Library("aten", "IMPL")
    _libraries.extend([every, aten])  # what a library registers goes when the library does
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a kernel is replaced is the purpose
        for name, kernel in _KERNELS.items():
            aten.impl(name, kernel, _KEY)
        for name in _composed():
            aten.impl(name, functools.partial(_run, _operator(name)), _KEY, allow_override=True)
    return torch.device(NAME, 0)


_PRODUCTS = {"aten::mm", "aten::bmm", "aten::addmm", "aten::baddbmm"}
_HALF = {torch.bfloat16, torch.float16}
_libraries: list[torch.library.Library] = []


def _composed() -> list[str]:
    """Operations that PyTorch would otherwise compose of others, by strides that a carrier does not have."""
    found = []
    for kind in ("CompositeExplicitAutogradNonFunctional", "CompositeExplicitAutograd"):
        for name in torch._C._dispatch_get_registrations_for_dispatch_key(kind):
            space, _, rest = name.partition("::")
            if space == "aten" and rest not in _KERNELS and not rest.startswith(_LEFT_ALONE):
                found.append(name)
    return [name for name in dict.fromkeys(found) if _operator(name) is not None]


def _operator(name: str) -> Any:
    """An operation by its full name, such as `aten::add.Tensor`; None for one that Python cannot call."""
    base, _, overload = name.removeprefix("aten::").partition(".")
    return getattr(getattr(torch.ops.aten, base, None), overload or "default", None)


def _carrying(tensor: Tensor) -> Tensor:
    """A tensor of the device that carries a CPU tensor, and keeps it alive."""
    carrier: Tensor = torch._C._acc.create_empty_tensor(tuple(tensor.shape), tensor.dtype)
    carrier.untyped_storage().carried = tensor
    return carrier


def _carried(tensor: Tensor) -> Tensor:
    """The CPU tensor that a tensor of the device carries; any other tensor itself."""
    return tensor.untyped_storage().carried if _is_here(tensor) else tensor


def _is_here(value: Any) -> bool:
    return isinstance(value, Tensor) and value.device.type == NAME


def _run(operator: Any, *args: Any, **kwargs: Any) -> Any:
    """Carry out any operation on what its tensors carry."""
    name, written = _facts(operator)
    _refuse_mixture(name, args, kwargs)
    if _has_to_wait(name, args, kwargs):
        _note_wait()
    if kwargs.get("device") is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    carried_args = [_replaced(value, _carried) for value in args]
    carried_kwargs = {key: _replaced(value, _carried) for key, value in kwargs.items()}
    if name in ("aten::view", "aten::_unsafe_view"):
        # A carrier is contiguous even where what it carries is not, so a view may have to be a copy.
        result = carried_args[0].reshape(carried_args[1])
    elif name in _PRODUCTS and carried_args[0].dtype in _HALF:
        # As a GPU does; and many CPUs have no quick product of half precision.
        result = operator(*[_replaced(value, Tensor.float) for value in carried_args], **carried_kwargs)
        result = result.to(carried_args[0].dtype)
    else:
        result = operator(*carried_args, **carried_kwargs)
    # What an operation writes to is what it returns.
    targets = [args[place] if place < len(args) else kwargs.get(key) for place, key in written]
    given = {id(_carried(target)): target for target in targets if isinstance(target, Tensor)}
    for target in given.values():
        carried = _carried(target)
        if carried.shape != target.shape:  # as after `squeeze_`
            target.data = _carrying(carried)
    return _replaced(result, lambda tensor: given[id(tensor)] if id(tensor) in given else _carrying(tensor))


@functools.cache
def _facts(operator: Any) -> tuple[str, list[tuple[int, str]]]:
    """An operation's name, and which of its arguments it writes to, by place and name."""
    schema = operator._schema
    places = [
        (place, argument.name)
        for place, argument in enumerate(schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    ]
    return schema.name, places


def _replaced(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A value with its tensors changed, in lists and tuples too; nothing else holds tensors."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, list | tuple):
        return type(value)([_replaced(one, change) for one in value])
    return value


def _refuse_mixture(name: str, args: Any, kwargs: Any) -> None:
    """Raise where CUDA would: tensors of the CPU among those of the device."""
    given = [*args, *kwargs.values()]
    if name in _INDEXING and _is_here(args[0]):
        del given[1]  # indices may be on the CPU
    for value in given:
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, Tensor) and one.device.type != NAME and one.ndim:
                raise RuntimeError(
                    f"Expected all tensors to be on the same device, but found {NAME}:0 and cpu: "
                    f"{name} in {_line_of_photopal()}"
                )


def _has_to_wait(name: str, args: Any, kwargs: Any) -> bool:
    """Whether an operation makes the host wait until the device has done what it was given before."""
    if name == "aten::repeat_interleave":
        return kwargs.get("output_size") is None
    if name not in _INDEXING:
        return name in _WAITING
    indices = [index for index in args[1] if isinstance(index, Tensor)]
    if not all(map(_is_here, indices)):
        return True  # they are copied to the device first
    masks = [index for index in indices if index.dtype in (torch.bool, torch.uint8)]
    # The true places of a mask have to be counted, unless a single number is put there.
    is_filling = name != "aten::index" and len(masks) == 1 and args[2].numel() == 1
    return bool(masks) and not is_filling


def _note_wait() -> None:
    if _counters:
        line = _line_of_photopal()
        for waits in _counters:
            waits.lines[line] += 1


def _line_of_photopal() -> str:
    """The innermost line of the package that led here."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_PACKAGE):
            return f"{Path(name).relative_to(_PACKAGE)}:{frame.f_lineno}"
        frame = frame.f_back
    return "outside photopal"


def _copy_from(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    """Copy between devices, or within this one."""
    if not (_is_here(source) and _is_here(target)) and not (non_blocking and _is_here(target)):
        _note_wait()
    _carried(target).copy_(_carried(source))
    return target


def _empty(size: Any, dtype: torch.dtype | None = None, **_: Any) -> Tensor:
    return _carrying(torch.empty(size, dtype=dtype or torch.get_default_dtype()))


def _empty_strided(size: Any, stride: Any, dtype: torch.dtype | None = None, **_: Any) -> Tensor:
    return _carrying(torch.empty_strided(size, stride, dtype=dtype or torch.get_default_dtype()))


def _convolution(*args: Any) -> Tensor:
    _refuse_mixture("aten::convolution", args, {})
    return _carrying(torch.ops.aten.convolution(*[_replaced(value, _carried) for value in args]))


_KERNELS: dict[str, Callable[..., Any]] = {
    "_copy_from": _copy_from,
    "empty.memory_format": _empty,
    "empty_strided": _empty_strided,
    "convolution_overrideable": _convolution,
    "_fused_sdp_choice": lambda *_, **__: 0,  # attention step by step, in operations that are known here
}
