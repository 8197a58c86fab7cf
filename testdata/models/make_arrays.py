"""numpy, scipy and pandas objects: pickles, npy, npz."""

import io

from make_common import version


def numpy_objects():
    import numpy as np
    rng = np.random.RandomState(0)
    rec = np.dtype([("a", "i4"), ("b", "U5"), ("c", "f8", (2,))])
    return {
        "f8": lambda: rng.rand(5, 3), "f4": lambda: rng.rand(5).astype("f4"), "f2": lambda: rng.rand(5).astype("f2"),
        "i8": lambda: np.arange(10), "big-endian": lambda: np.arange(4, dtype=">i4"),
        "bool": lambda: np.array([True, False]), "c16": lambda: np.array([1 + 2j]), "u1": lambda: np.arange(9, dtype="u1"),
        "str": lambda: np.array(["a", "bcd"]), "bytes": lambda: np.array([b"a", b"bcd"]),
        "object": lambda: np.array([1, "a", None, [1, 2]], dtype=object),
        "object-nested": lambda: np.array([{"a": np.arange(3)}, (1, 2)], dtype=object),
        "empty": lambda: np.empty((0, 3)), "zero-dim": lambda: np.array(5.0),
        "fortran": lambda: np.asfortranarray(rng.rand(3, 4)), "strided": lambda: np.arange(20)[::3],
        "datetime64": lambda: np.array(["2020-01-01"], "datetime64[ns]"),
        "timedelta64": lambda: np.array([5], "timedelta64[s]"),
        "structured": lambda: np.zeros(3, rec), "recarray": lambda: np.zeros(3, rec).view(np.recarray),
        "masked": lambda: np.ma.array([1, 2, 3], mask=[0, 1, 0]), "masked-const": lambda: np.ma.masked,
        "matrix": lambda: np.matrix([[1, 2]]), "chararray": lambda: np.char.array(["a", "b"]),
        "scalar-f8": lambda: np.float64(1.5), "scalar-i4": lambda: np.int32(3), "scalar-bool": lambda: np.bool_(True),
        "scalar-str": lambda: np.str_("abc"), "scalar-bytes": lambda: np.bytes_(b"abc"),
        "scalar-c8": lambda: np.complex64(1j), "scalar-void": lambda: np.zeros(1, rec)[0],
        "scalar-dt64": lambda: np.datetime64("2020-01-01"),
        "dtype-f8": lambda: np.dtype("f8"), "dtype-rec": lambda: rec, "dtype-object": lambda: np.dtype(object),
        "dtype-aligned": lambda: np.dtype([("a", "i1"), ("b", "f8")], align=True),
        "type-float64": lambda: np.float64, "types": lambda: [np.int32, np.float32, np.ndarray],
        "ufunc-add": lambda: np.add, "function-mean": lambda: np.mean,
        "randomstate": lambda: np.random.RandomState(1), "generator": lambda: np.random.default_rng(1),
        "mt19937": lambda: np.random.MT19937(1), "philox": lambda: np.random.Philox(1),
        "sfc64": lambda: np.random.SFC64(1), "pcg64dxsm": lambda: np.random.PCG64DXSM(1),
        "seedsequence": lambda: np.random.SeedSequence(3),
        "poly": lambda: np.polynomial.Polynomial([1, 2, 3]), "poly1d": lambda: np.poly1d([1, 2]),
        "finfo-like": lambda: {"mean": np.float32(0.5), "std": np.array([1.0, 2.0])},
        "memmap-like": lambda: [np.arange(1000), np.ones((10, 10))],
        "large": lambda: rng.rand(200, 50),
    }


def scipy_objects():
    import numpy as np
    import scipy.interpolate
    import scipy.sparse as sp
    import scipy.spatial
    import scipy.stats
    from scipy.optimize import OptimizeResult
    from scipy.spatial.transform import Rotation
    dense = np.array([[0, 1.0, 0], [2, 0, 0], [0, 0, 3]])
    made = {fmt: (lambda fmt=fmt: getattr(sp, fmt + "_matrix")(dense)) for fmt in
            ("csr", "csc", "coo", "lil", "dok", "dia", "bsr")}
    made.update({fmt + "-array": (lambda fmt=fmt: getattr(sp, fmt + "_array")(dense)) for fmt in
                 ("csr", "csc", "coo", "lil", "dok", "dia", "bsr")})
    made.update({
        "kdtree": lambda: scipy.spatial.KDTree(np.random.RandomState(0).rand(20, 2)),
        "ckdtree": lambda: scipy.spatial.cKDTree(np.random.RandomState(0).rand(20, 2)),
        "interp1d": lambda: scipy.interpolate.interp1d([0, 1, 2], [0, 1, 4]),
        "cubicspline": lambda: scipy.interpolate.CubicSpline([0, 1, 2], [0, 1, 4]),
        "pchip": lambda: scipy.interpolate.PchipInterpolator([0, 1, 2], [0, 1, 4]),
        "bspline": lambda: scipy.interpolate.make_interp_spline([0, 1, 2, 3], [0, 1, 4, 9]),
        "norm-frozen": lambda: scipy.stats.norm(0, 1), "norm": lambda: scipy.stats.norm,
        "poisson-frozen": lambda: scipy.stats.poisson(3), "kde": lambda: scipy.stats.gaussian_kde([1.0, 2.0, 4.0]),
        "mvn-frozen": lambda: scipy.stats.multivariate_normal([0, 0]),
        "optimize-result": lambda: OptimizeResult(x=np.zeros(2), success=True),
        "rotation": lambda: Rotation.from_euler("z", 90, degrees=True),
        "convexhull-points": lambda: scipy.spatial.distance.pdist(dense),
        "rbf": lambda: scipy.interpolate.RBFInterpolator(np.random.RandomState(0).rand(9, 2), np.arange(9.0)),
    })
    return made


def pandas_objects():
    import numpy as np
    import pandas as pd
    frame = lambda: pd.DataFrame({"a": [1, 2, 3], "b": [1.5, None, 2.5], "c": list("xyz"),
                                  "d": pd.Categorical(["u", "v", "u"]), "e": pd.date_range("2020", periods=3)})
    return {
        "frame": frame, "frame-empty": lambda: pd.DataFrame(), "frame-float": lambda: pd.DataFrame(np.eye(3)),
        "frame-multiindex": lambda: frame().set_index(["a", "c"]), "frame-attrs": lambda: _attrs(frame()),
        "frame-tz": lambda: pd.DataFrame({"t": pd.date_range("2020", periods=3, tz="Europe/Berlin")}),
        "frame-nullable": lambda: frame().convert_dtypes(), "frame-sparse": lambda: pd.DataFrame({"s": pd.arrays.SparseArray([0, 0, 1])}),
        "frame-period": lambda: pd.DataFrame({"p": pd.period_range("2020", periods=3, freq="M")}),
        "frame-interval": lambda: pd.DataFrame({"i": pd.interval_range(0, 3)}),
        "frame-object": lambda: pd.DataFrame({"o": [[1], {"k": 2}, None]}),
        "frame-multicols": lambda: pd.DataFrame(np.ones((2, 2)), columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])),
        "series-int": lambda: pd.Series([1, 2]), "series-str": lambda: pd.Series(["a", "b"], name="n"),
        "series-string": lambda: pd.Series(["a", None], dtype="string"), "series-Int64": lambda: pd.Series([1, None], dtype="Int64"),
        "series-boolean": lambda: pd.Series([True, None], dtype="boolean"), "series-cat": lambda: pd.Series(list("aba"), dtype="category"),
        "series-dt": lambda: pd.Series(pd.date_range("2020", periods=2)), "series-td": lambda: pd.Series(pd.timedelta_range("1D", periods=2)),
        "index-range": lambda: pd.RangeIndex(5), "index-int": lambda: pd.Index([3, 1]), "index-str": lambda: pd.Index(list("ab")),
        "index-dt": lambda: pd.date_range("2020", periods=3), "index-dt-tz": lambda: pd.date_range("2020", periods=3, tz="UTC"),
        "index-td": lambda: pd.timedelta_range("1h", periods=3), "index-period": lambda: pd.period_range("2020", periods=3, freq="D"),
        "index-interval": lambda: pd.interval_range(0, 3), "index-cat": lambda: pd.CategoricalIndex(list("ab")),
        "index-multi": lambda: pd.MultiIndex.from_product([[1, 2], list("ab")]),
        "timestamp": lambda: pd.Timestamp("2020-01-01"), "timestamp-tz": lambda: pd.Timestamp("2020", tz="Europe/Berlin"),
        "timedelta": lambda: pd.Timedelta("1D"), "period": lambda: pd.Period("2020-01", "M"), "interval": lambda: pd.Interval(0, 1),
        "nat": lambda: pd.NaT, "na": lambda: pd.NA, "categorical": lambda: pd.Categorical(list("aab")),
        "dtype-cat": lambda: pd.CategoricalDtype(["a", "b"]), "dtype-int64": lambda: pd.Int64Dtype(), "dtype-string": lambda: pd.StringDtype(),
        "dtype-tz": lambda: pd.DatetimeTZDtype(tz="UTC"), "offset-bday": lambda: pd.offsets.BDay(2), "offset-month": lambda: pd.offsets.MonthEnd(),
        "offset-hour": lambda: pd.offsets.Hour(3), "offset-dateoffset": lambda: pd.DateOffset(months=2),
        "groups": lambda: dict(list(frame().groupby("c"))), "stats": lambda: frame().describe(),
    }


def _attrs(frame):
    frame.attrs["source"] = "survey"
    return frame


def npy_files(shelf, names=None):
    """npy and npz as numpy writes them, also with object arrays (a pickle inside)."""
    import numpy as np
    made = numpy_objects()
    for name in names or [n for n, make in made.items() if type(make()) in (np.ndarray, np.recarray)]:
        def save(name=name):
            out = io.BytesIO()
            np.save(out, made[name](), allow_pickle=True)
            return out.getvalue()
        shelf.attempt("numpy/%s.npy" % name, save, library=version(np), what=name, writer="numpy.save")
    for name, save in (("arrays", np.savez), ("arrays-compressed", np.savez_compressed)):
        def pack(save=save):
            out = io.BytesIO()
            save(out, x=made["f8"](), y=made["i8"](), o=made["object"]())
            return out.getvalue()
        shelf.attempt("numpy/%s.npz" % name, pack, library=version(np), what=name, writer="numpy.savez")


def every(shelf):
    import numpy as np
    import pandas as pd
    import scipy
    for lib, made in ((np, numpy_objects()), (scipy, scipy_objects()), (pd, pandas_objects())):
        for name, maker in made.items():
            path = "%s/%s" % (lib.__name__, name)
            shelf.pickles(path, maker, (0, 2, 3, 4, 5), library=version(lib), what=name)
            shelf.joblib(path, maker, (None,), library=version(lib), what=name)
    npy_files(shelf)


def small(shelf):
    import numpy as np
    import pandas as pd
    import scipy
    npy_files(shelf, ["f8", "object", "structured"])
    for name in ("f8", "object", "generator", "masked"):
        shelf.pickles("numpy/" + name, numpy_objects()[name], (2, 5), library=version(np), what=name)
    for name in ("frame", "series-cat", "index-multi"):
        shelf.pickles("pandas/" + name, pandas_objects()[name], (4,), library=version(pd), what=name)
    shelf.pickles("scipy/csr", scipy_objects()["csr"], (4,), library=version(scipy), what="csr")
