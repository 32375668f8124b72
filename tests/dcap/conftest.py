from __future__ import annotations

import pytest
from quote_samples import PARAMETERS, Sample, sample


@pytest.fixture(scope="session", params=PARAMETERS)
def genuine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Each kind of genuine quote in turn."""
    return sample(request.param, tmp_path_factory.mktemp("quoting"))
