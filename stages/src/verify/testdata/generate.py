"""Writes golden.toml: what scikit-learn 1.9.1 and numpy 2.4.6 make of 60 frames of 3 numbers.

Run: python generate.py > golden.toml

[frames]     the input; every number is one of single precision, as embeddings hold them
[projection] sklearn.decomposition.PCA(2), each direction turned so that its largest number is positive
[mixture]    sklearn.mixture.GaussianMixture(3, "diag", reg_covar=1e-6, tol=0) from the start given, after 5 iterations
[scores]     z-, t- and zt-normalised scores by their definitions, spreads with ddof=1
"""

import warnings

import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

assert sklearn.__version__ == "1.9.1" and np.__version__ == "2.4.6", (sklearn.__version__, np.__version__)
random = np.random.default_rng(20151108)
centres = np.array([[0.0, 2.0, -1.0], [1.5, -0.5, 0.5], [-1.0, 0.0, 1.0]])
frames = centres[np.arange(60) % 3] + random.normal(size=(60, 3)) * [1.0, 0.7, 0.4]
frames = frames.astype(np.float32).astype(np.float64)


def show(name, numbers):
    numbers = np.asarray(numbers, dtype=np.float64).ravel()
    print(f"{name} = [{', '.join(repr(float(number)) for number in numbers)}]")


print("# Written by generate.py; do not edit.")
print("[frames]")
show("numbers", frames)

print("\n[projection]")
pca = PCA(2).fit(frames)
signs = np.sign(pca.components_[np.arange(2), np.abs(pca.components_).argmax(axis=1)])
show("mean", pca.mean_)
show("directions", pca.components_ * signs[:, None])
show("variance", pca.explained_variance_)
show("total_variance", [np.var(frames, axis=0, ddof=1).sum()])
show("projected", pca.transform(frames)[:5] * signs)

print("\n[mixture]")
weights, means, variances = np.array([0.5, 0.25, 0.25]), centres * 0.5, np.array([[1.0, 0.8, 0.6]] * 3)
iterations = 5


def fitted(count):
    model = GaussianMixture(
        3, covariance_type="diag", reg_covar=1e-6, tol=0, max_iter=count,
        weights_init=weights, means_init=means, precisions_init=1 / variances,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(frames)


model = fitted(iterations)
show("start_weights", weights)
show("start_means", means)
show("start_variances", variances)
show("weights", model.weights_)
show("means", model.means_)
show("variances", model.covariances_)
# lower_bound_ is the mean log-likelihood before the last iteration.
show("log_likelihoods", [fitted(count).lower_bound_ for count in range(1, iterations + 1)] + [model.score(frames)])
show("frame_log_likelihoods", model.score_samples(frames)[:10])

print("\n[scores]")
clients, cohort_clients, probes, cohort_probes = 2, 4, 3, 5
evaluation = random.normal(size=(clients, probes))
client_cohort = random.normal(size=(clients, cohort_probes)) - 1
cohort_probe = random.normal(size=(cohort_clients, probes)) - 0.5
cohort_cohort = random.normal(size=(cohort_clients, cohort_probes)) * 0.7
# Cohort client i and cohort probe i are one subject: no trial.
cohort_cohort[np.arange(cohort_clients), np.arange(cohort_clients)] = np.nan


def normalise(scores, cohort, axis):
    spread = np.nanstd(cohort, axis=axis, ddof=1, keepdims=True)
    return (scores - np.nanmean(cohort, axis=axis, keepdims=True)) / spread


z = normalise(evaluation, client_cohort, 1)
show("evaluation", evaluation)
show("client_cohort", client_cohort)
show("cohort_probe", cohort_probe)
show("cohort_cohort", np.nan_to_num(cohort_cohort, nan=0.0))
show("z", z)
show("t", normalise(evaluation, cohort_probe, 0))
show("zt", normalise(z, normalise(cohort_probe, cohort_cohort, 1), 0))
