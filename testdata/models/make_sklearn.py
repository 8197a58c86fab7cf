"""scikit-learn estimators, fitted on toy data."""

import io

from make_common import version


def toy():
    """Small X, y that every ordinary estimator fits."""
    import numpy as np
    rng = np.random.RandomState(0)
    x = np.abs(rng.randn(40, 4)) + 0.1
    y = np.array([0, 1] * 20)
    return x, y


def build(name, cls):
    """One fitted estimator, or the unfitted one where toy data does not fit it."""
    import numpy as np
    from sklearn.linear_model import LinearRegression, LogisticRegression
    args = {}
    for attempt in ({}, {"estimator": LogisticRegression()}, {"estimator": LinearRegression()},
                    {"estimators": [("a", LogisticRegression())]}, {"estimators": [("a", LinearRegression())]},
                    {"steps": [("a", LogisticRegression())]}, {"transformers": [("a", "passthrough", [0])]},
                    {"transformer_list": [("a", "passthrough")]},
                    {"estimator": LogisticRegression(), "param_grid": {"C": [0.1, 1]}},
                    {"estimator": LogisticRegression(), "param_distributions": {"C": [0.1, 1]}, "n_iter": 2},
                    {"dictionary": np.eye(4)}):
        try:
            est = cls(**attempt)
            args = attempt
            break
        except TypeError:
            continue
    else:
        raise TypeError("no constructor arguments known")
    small = {"n_estimators": 4, "max_iter": 20, "n_components": 2, "random_state": 0}
    params = est.get_params(deep=False)
    for key, value in small.items():
        if key in params:
            try:
                est.set_params(**{key: value})
            except ValueError:
                pass
    return fitted(est, args)


def fitted(est, args):
    """Fits on X, y; texts, dicts or labels where the estimator wants those; else leaves it unfitted."""
    import numpy as np
    x, y = toy()
    for data in ((x, y), (x, y.astype(float) + x[:, 0]), (["a b c", "b c d", "c d e"] * 4,), (x[:, 0],),
                 ([{"a": 1, "b": 2}, {"a": 3}],), (x[:, 0], y), (x[:, :2], x[:, 2:]), (x, np.eye(2)[y].astype(int)),
                 (list("ab") * 5,), ([["a", "b"], ["c"]],)):
        try:
            with np.errstate(all="ignore"):
                return type(est)(**est.get_params(deep=False)).fit(*data)
        except Exception:  # noqa: BLE001: the next kind of toy data is tried
            continue
    return est


def every(shelf):
    """All estimators x protocols 2 to 5 x joblib, and a few with every compressor."""
    import sklearn
    from sklearn.utils import all_estimators
    lib = version(sklearn)
    cache = {}
    for name, cls in all_estimators():
        def maker(name=name, cls=cls):
            if name not in cache:
                cache[name] = build(name, cls)
            return cache[name]
        shelf.pickles("sklearn/" + name, maker, library=lib, what=name)
        shelf.joblib("sklearn/" + name, maker, ("zlib",) if len(name) % 3 == 0 else (None,), library=lib, what=name)
    for name, maker in models().items():
        shelf.pickles("sklearn-made/" + name, maker, (0, 2, 3, 4, 5), library=lib, what=name)
        shelf.joblib("sklearn-made/" + name, maker, (None, "zlib", "gzip", "bz2", "xz", "lzma", "lz4"),
                     library=lib, what=name)


def models():
    """Composed models as people ship them."""
    import numpy as np
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.ensemble import (GradientBoostingClassifier, HistGradientBoostingClassifier, IsolationForest,
                                  RandomForestClassifier, StackingClassifier, VotingClassifier)
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, WhiteKernel
    from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
    from sklearn.metrics import make_scorer, f1_score
    from sklearn.model_selection import GridSearchCV
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
    from sklearn.svm import SVC
    x, y = toy()
    docs, tags = ["good film", "bad film", "fine plot", "poor plot"] * 3, [1, 0, 1, 0] * 3
    mixed = np.array([["a", 1.0], ["b", 2.0], ["a", 3.0], ["c", 4.0]] * 3, dtype=object)
    return {
        "logistic": lambda: LogisticRegression().fit(x, y),
        "forest": lambda: RandomForestClassifier(3, max_depth=3, random_state=0).fit(x, y),
        "tfidf-pipeline": lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(docs, tags),
        "count-nb": lambda: make_pipeline(CountVectorizer(ngram_range=(1, 2)), MultinomialNB()).fit(docs, tags),
        "column-transformer": lambda: make_pipeline(
            ColumnTransformer([("c", OneHotEncoder(), [0]), ("n", StandardScaler(), [1])]),
            LogisticRegression()).fit(mixed, tags),
        "grid-search": lambda: GridSearchCV(SVC(), {"C": [1, 10]}, cv=2).fit(x, y),
        "grid-scorer": lambda: GridSearchCV(LogisticRegression(), {"C": [1]}, cv=2,
                                            scoring=make_scorer(f1_score)).fit(x, y),
        "gbc": lambda: GradientBoostingClassifier(n_estimators=3, random_state=0).fit(x, y),
        "hist-gbc": lambda: HistGradientBoostingClassifier(max_iter=3).fit(x, y),
        "isolation": lambda: IsolationForest(n_estimators=4, random_state=0).fit(x),
        "stacking": lambda: StackingClassifier([("l", LogisticRegression()), ("s", SVC())], cv=2).fit(x, y),
        "voting": lambda: VotingClassifier([("l", LogisticRegression()), ("k", KNeighborsClassifier())]).fit(x, y),
        "sgd": lambda: SGDClassifier(max_iter=20, random_state=0).fit(x, y),
        "gp": lambda: GaussianProcessRegressor(RBF() + WhiteKernel()).fit(x, y),
        "log-transform": lambda: make_pipeline(FunctionTransformer(np.log1p), StandardScaler()).fit(x),
        "union": lambda: make_union(StandardScaler(), FunctionTransformer(np.sqrt)).fit(x),
        "target-log": lambda: TransformedTargetRegressor(LinearRegression(), func=np.log1p,
                                                         inverse_func=np.expm1).fit(x, y),
    }


def small(shelf):
    """The committed few."""
    import sklearn
    lib = version(sklearn)
    made = models()
    for name in ("logistic", "forest", "tfidf-pipeline"):
        shelf.pickles("sklearn/" + name, made[name], (2, 4, 5) if name == "logistic" else (4,), library=lib, what=name)
    shelf.joblib("sklearn/logistic", made["logistic"], (None, "zlib", "gzip", "bz2", "xz", "lzma", "lz4"),
                 library=lib, what="logistic")
    shelf.joblib("sklearn/forest", made["forest"], ("zlib",), library=lib, what="forest")
    shelf.joblib("sklearn/tfidf-pipeline", made["tfidf-pipeline"], (None,), library=lib, what="tfidf-pipeline")
