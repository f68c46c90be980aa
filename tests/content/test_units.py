"""Products of rows: the same to the last bit, whatever rows come together."""

import numpy as np
import pytest

from vidrec_tasks.content.encoding.units import by_row


@pytest.mark.parametrize(("dim", "width"), [(384, 1_000), (64, 7), (12, 1), (300, 33)])
def test_a_row_has_one_product_in_any_company(dim: int, width: int) -> None:
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((40, dim)).astype(np.float32)
    matrix = rng.standard_normal((dim, width)).astype(np.float32)
    whole = by_row(rows, matrix)
    np.testing.assert_allclose(whole, rows @ matrix, rtol=1e-4, atol=1e-4)
    for first, n in ((0, 1), (7, 2), (5, 30), (39, 1)):
        part = by_row(rows[first : first + n], matrix)
        np.testing.assert_array_equal(part, whole[first : first + n])


def test_no_rows_have_no_product() -> None:
    assert by_row(np.zeros((0, 3), np.float32), np.ones((3, 2), np.float32)).shape == (0, 2)
