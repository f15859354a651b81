"""The pretend accelerator behaves as CUDA does where devices mix and where the host waits."""

from __future__ import annotations

import pytest
import torch

from tests.devices.pretend_device import count_waits

HERE = torch.arange(12.0).view(3, 4)


@pytest.fixture
def there(pretend):
    return HERE.to(pretend)


@pytest.mark.parametrize(
    "mix",
    [
        lambda there: there + HERE,
        lambda there: torch.cat([HERE, there]),
        lambda there: HERE[there.long()[0, :2]],
        lambda there: there.masked_fill(HERE > 1, 0.0),
        lambda there: torch.nn.functional.embedding(torch.tensor([1]), there),
        lambda there: there.index_put((torch.tensor([0]),), HERE[:1]),
    ],
    ids=["a sum", "joined", "an index here", "a mask", "an embedding", "what is put in"],
)
def test_tensors_of_two_devices_cannot_be_mixed(there, mix):
    with pytest.raises(RuntimeError, match="same device"):
        mix(there)


def test_numbers_and_indices_may_be_on_the_cpu(there):
    assert (there * torch.tensor(2.0) + 1).tolist() == (HERE * 2 + 1).tolist()
    assert there[torch.tensor([0, 2])].tolist() == HERE[[0, 2]].tolist()
    assert there[HERE > 5].tolist() == HERE[HERE > 5].tolist()


@pytest.mark.parametrize(
    ("waits_for", "expected"),
    [
        (lambda there: float(there.sum()), 1),
        (lambda there: there.tolist(), 1),
        (lambda there: there.cpu(), 1),
        (lambda there: bool((there > 1).any()), 1),
        (lambda there: there[there > 1], 1),
        (lambda there: torch.nonzero(there), 1),
        (lambda there: there[torch.tensor([0, 2])], 1),
        (lambda there: there[torch.arange(2, device=there.device)], 0),
        (lambda there: torch.equal(there, there), 1),
        (lambda there: torch.tensor([1, 2], device=there.device), 1),
        (lambda there: torch.tensor([1, 2]).to(there.device, non_blocking=True), 0),
        (lambda there: torch.where(there > 1, there, 0.0) @ there.T, 0),
        (lambda there: there.masked_fill(there > 1, 0.0), 0),
        (lambda there: torch.arange(3, device=there.device) + 1, 0),
    ],
)
def test_what_makes_the_host_wait_is_counted(there, waits_for, expected):
    with count_waits() as waits:
        waits_for(there)
    assert waits.count == expected


def test_views_write_through_and_gradients_flow(there, pretend):
    changed = there.clone()
    changed.view(12)[:2] = 7
    changed.T[3, 1:] = -1
    expected = HERE.clone()
    expected.view(12)[:2] = 7
    expected.T[3, 1:] = -1
    assert changed.tolist() == expected.tolist()
    assert (there[0].bfloat16() @ there.T.bfloat16()).float().tolist() == (HERE[0] @ HERE.T).tolist()
    gradients = []
    for device in ("cpu", pretend):
        weight = HERE.clone().to(device).requires_grad_()
        torch.nn.functional.cross_entropy(weight @ weight.T, torch.tensor([0, 2, 1]).to(device)).backward()
        torch.optim.AdamW([weight], lr=0.1).step()
        gradients.append((weight.grad.tolist(), weight.tolist()))
    assert gradients[0] == gradients[1]


def test_tensors_of_the_cpu_are_as_before():
    weight = HERE.clone().requires_grad_()
    (weight * 2).sum().backward()
    assert weight.grad.tolist() == torch.full((3, 4), 2.0).tolist()
    with count_waits() as waits:
        assert float((HERE[HERE > 1]).sum()) == 65.0
    assert waits.count == 0


@pytest.mark.slow
def test_what_is_carried_goes_with_its_tensor(pretend):
    import gc
    import weakref

    there = torch.ones(4, device=pretend)
    carried = weakref.ref(there.untyped_storage().carried)
    parameter = torch.nn.Parameter(there)
    del there
    assert carried() is not None
    del parameter
    gc.collect()
    assert carried() is None
