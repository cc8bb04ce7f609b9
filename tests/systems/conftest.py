"""What tests of systems share."""

import pytest


@pytest.fixture(autouse=True)
def adain_measures_a_few_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its encoder is scaled before each training on so many crops that small trainings are nothing else."""
    monkeypatch.setattr("sakuga.systems.adain.MEASURED", 8)
