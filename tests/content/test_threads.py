import threading

import pytest
import torch

from vidrec_tasks.content.encoding.threads import spread


@pytest.fixture
def _two_threads() -> object:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_two_threads")
def test_results_come_in_the_order_of_the_items() -> None:
    assert spread(lambda number: number * number, range(50)) == [n * n for n in range(50)]


@pytest.mark.usefixtures("_two_threads")
def test_each_worker_computes_on_one_thread_and_the_caller_keeps_its_own() -> None:
    assert set(spread(lambda _: torch.get_num_threads(), range(8))) == {1}
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("_two_threads")
def test_one_batch_computes_on_one_thread_too() -> None:
    assert spread(lambda _: torch.get_num_threads(), [0]) == [1]
    assert spread(lambda _: torch.get_num_threads(), []) == []


@pytest.mark.usefixtures("_two_threads")
def test_a_gpu_needs_no_worker() -> None:
    here = threading.get_ident()
    assert set(spread(lambda _: threading.get_ident(), range(4), device="cuda")) == {here}


@pytest.mark.usefixtures("_two_threads")
def test_an_error_in_a_worker_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        spread(lambda number: 1 / number, [1, 0, 2])
    assert torch.get_num_threads() == 2
