from __future__ import annotations

from pathlib import Path

import gramine_vectors
import pytest

from ppmlctl.sgx import FolderTree


@pytest.fixture(scope="session")
def vector_tree(tmp_path_factory: pytest.TempPathFactory) -> FolderTree:
    """The files that the manifests of the vectors trust."""
    root: Path = tmp_path_factory.mktemp("vector-tree")
    gramine_vectors.write_tree(root)
    return FolderTree(root)
