"""Average linkage by reciprocal nearest neighbours."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from numpy.typing import NDArray

from faces.clustering import Clusters, _Growing, attach
from faces.clustering import cluster as cluster_clusters


def people(count: int, faces: int, noise: float, seed: int = 1) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Draw unit vectors around as many directions, and say which row is whose."""
    random = np.random.default_rng(seed)
    owners = np.repeat(np.arange(count), faces)
    vectors = random.normal(size=(count, 64))[owners] + random.normal(size=(count * faces, 64)) * noise
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), owners


def cluster(vectors: NDArray[np.float32], min_similarity: float) -> NDArray[np.intp]:
    return cluster_clusters(Clusters.of_faces(vectors), min_similarity)


def same_partition(left: NDArray[np.intp], right: NDArray[np.intp]) -> bool:
    return bool(((left[:, None] == left) == (right[:, None] == right)).all())


def test_people_are_told_apart() -> None:
    vectors, owners = people(20, 15, noise=0.6)
    assert same_partition(cluster(vectors, 0.5), owners)


def test_the_order_of_the_rows_does_not_matter() -> None:
    vectors, _ = people(20, 15, noise=1.1)
    order = np.random.default_rng(2).permutation(len(vectors))
    assert same_partition(cluster(vectors, 0.4)[order], cluster(vectors[order], 0.4))


def test_one_misleading_face_does_not_bridge_two_people() -> None:
    a, b = np.eye(2, dtype=np.float32)
    between = (a + b) / np.sqrt(2)
    labels = cluster(np.stack([a, a, a, between, b, b, b]), 0.5)
    assert labels[0] != labels[6]


def test_faces_alone_stay_alone() -> None:
    assert len(set(cluster(np.eye(5, dtype=np.float32), 0.5))) == 5


@pytest.mark.parametrize("count", [0, 1])
def test_few_faces_are_fine(count: int) -> None:
    assert cluster(np.eye(4, dtype=np.float32)[:count], 0.5).tolist() == [0] * count


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = people(10, 10, noise=1.0)
    whole = cluster(vectors, 0.4)
    monkeypatch.setattr("faces.clustering.BLOCK_ROWS", 7)
    assert same_partition(cluster(vectors, 0.4), whole)


def test_it_is_average_linkage() -> None:
    """Two pairs (similarity 0.9 inside) merge by the mean of the four similarities between them."""
    near = np.array([[1, 0, 0], [0.9, np.sqrt(1 - 0.81), 0]])
    far = near @ np.array([[0.5, 0, np.sqrt(0.75)], [0, 1, 0], [-np.sqrt(0.75), 0, 0.5]])
    vectors = np.concatenate([near, far]).astype(np.float32)
    mean = float((near @ far.T).mean())
    assert len(set(cluster(vectors, mean - 0.01))) == 1
    assert len(set(cluster(vectors, mean + 0.01))) == 2


@pytest.mark.parametrize("seed", range(5))
def test_it_merges_as_one_pair_at_a_time_would(seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(6, 24))[random.integers(0, 6, 40)] + random.normal(size=(40, 24))
    vectors *= random.uniform(0.84, 1, (40, 1)) / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity, groups = vectors @ vectors.T, [[row] for row in range(len(vectors))]
    while True:
        pairs = [(a, b) for b in range(len(groups)) for a in range(b)]
        means = [similarity[np.ix_(groups[a], groups[b])].mean() for a, b in pairs]
        if max(means) < 0.3:
            break
        a, b = pairs[int(np.argmax(means))]
        groups[a] += groups.pop(b)
    expected = np.empty(len(vectors), np.intp)
    for label, rows in enumerate(groups):
        expected[rows] = label
    assert 1 < len(groups) < 30
    assert same_partition(cluster(vectors.astype(np.float32), 0.3), expected)


def test_equal_faces_merge_many_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds, merge = count(), _Growing._merge

    def counted(clusters: _Growing) -> NDArray[np.intp]:
        next(rounds)
        return merge(clusters)

    monkeypatch.setattr(_Growing, "_merge", counted)
    labels = cluster(np.repeat(np.eye(2, dtype=np.float32), 1000, axis=0), 0.5)
    assert same_partition(labels, np.repeat([0, 1], 1000))
    assert next(rounds) < 100


def test_contradicting_claims_are_never_merged() -> None:
    vectors = np.repeat(np.eye(3, dtype=np.float32)[:1], 4, axis=0)
    vectors[:, 1] = [0, 0.1, 0.2, 0.3]
    clusters = Clusters.of_faces(vectors, [{"photo": 1}, {}, {}, {"photo": 2}])
    labels = cluster_clusters(clusters, 0.5)
    assert labels[0] != labels[3]
    assert labels[1] in {labels[0], labels[3]}
    assert labels[2] in {labels[0], labels[3]}


def test_what_one_member_claims_all_of_the_cluster_claim() -> None:
    vectors = np.eye(2, dtype=np.float32)[[0, 0, 0]]
    labels = cluster_clusters(Clusters.of_faces(vectors, [{"a": 1}, {"b": 1}, {"a": 2, "b": 2}]), 0.5)
    assert labels[0] == labels[1] != labels[2]


def test_merged_clusters_weigh_as_much_as_their_members() -> None:
    vectors, _ = people(4, 10, noise=1.0)
    clusters = Clusters.of_faces(vectors)
    once = clusters.merged(np.arange(40) // 5)
    assert once.merged(np.arange(8) // 4).means == pytest.approx(clusters.merged(np.arange(40) // 20).means, abs=1e-6)
    assert once.sizes.tolist() == [5] * 8


def test_the_most_similar_join_first_and_what_they_claim_counts() -> None:
    to = Clusters.of_faces(np.eye(2, dtype=np.float32))
    near = np.array([[0.8, 0], [0.9, 0], [0, 0.3], [0.7, 0.6]], np.float32)
    joined = attach(Clusters.of_faces(near, [{"photo": 1}, {"photo": 2}, {}, {"photo": 3}]), to, 0.5)
    assert joined.tolist() == [-1, 0, -1, 1]


def test_nobody_joins_where_nobody_is() -> None:
    vectors = np.eye(2, dtype=np.float32)
    assert attach(Clusters.of_faces(vectors), Clusters.of_faces(vectors[:0]), 0.5).tolist() == [-1, -1]
