"""xgboost, lightgbm and catboost models: by pickle, by joblib and in their own formats."""

import os
import tempfile

from make_common import version
from make_sklearn import toy


def models():
    """(library, name) -> maker; libraries that are not installed are left out."""
    x, y = toy()
    made = {}
    try:
        import xgboost
        made.update({
            ("xgboost", "classifier"): lambda: xgboost.XGBClassifier(n_estimators=2, max_depth=2).fit(x, y),
            ("xgboost", "regressor"): lambda: xgboost.XGBRegressor(n_estimators=2, max_depth=2).fit(x, y),
            ("xgboost", "rf"): lambda: xgboost.XGBRFClassifier(n_estimators=2, max_depth=2).fit(x, y),
            ("xgboost", "booster"): lambda: xgboost.XGBClassifier(n_estimators=2, max_depth=2).fit(x, y).get_booster(),
            ("xgboost", "unfitted"): lambda: xgboost.XGBClassifier()})
    except ImportError:
        pass
    try:
        import lightgbm
        small = dict(n_estimators=2, num_leaves=3, min_child_samples=2, verbose=-1)
        made.update({
            ("lightgbm", "classifier"): lambda: lightgbm.LGBMClassifier(**small).fit(x, y),
            ("lightgbm", "regressor"): lambda: lightgbm.LGBMRegressor(**small).fit(x, y),
            ("lightgbm", "booster"): lambda: lightgbm.LGBMClassifier(**small).fit(x, y).booster_,
            ("lightgbm", "unfitted"): lambda: lightgbm.LGBMRegressor()})
    except ImportError:
        pass
    try:
        import catboost
        small = dict(iterations=2, depth=2, verbose=0, allow_writing_files=False)
        made.update({
            ("catboost", "classifier"): lambda: catboost.CatBoostClassifier(**small).fit(x, y),
            ("catboost", "regressor"): lambda: catboost.CatBoostRegressor(**small).fit(x, y),
            ("catboost", "unfitted"): lambda: catboost.CatBoostClassifier()})
    except ImportError:
        pass
    return made


def native(make, save, suffix):
    """Bytes of the library's own format, which it writes to a path only."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model" + suffix)
        getattr(make(), save)(path)
        with open(path, "rb") as f:
            return f.read()


def make(shelf, everything):
    for (library, name), maker in models().items():
        lib = version(__import__(library))
        path = "%s/%s" % (library, name)
        if everything or name == "classifier":
            shelf.pickles(path, maker, (2, 3, 4, 5) if everything else (4,), library=lib, what=name)
            shelf.joblib(path, maker, (None, "zlib") if everything else ("zlib",), library=lib, what=name)
        if name == "unfitted":
            continue
        for suffix, save in {"xgboost": ((".json", "save_model"), (".ubj", "save_model")),
                             "lightgbm": ((".txt", "save_model"),) if name == "booster" else (),
                             "catboost": ((".cbm", "save_model"),)}[library]:
            if everything or name in ("classifier", "booster"):
                shelf.attempt(path + suffix, lambda m=maker, s=save, x=suffix: native(m, s, x),
                              library=lib, what=name, writer=library + " save_model")
