"""In a checkout every package is the service's own; one that is not there is told."""

import pytest

from dispatcher import cli
from dispatcher.runtime import own_packages
from dispatcher.runtime.own_packages import ForeignPackage, lies_here, refuse_foreign


def test_a_checkout_has_its_own_packages_and_its_benchmarks() -> None:
    refuse_foreign()
    assert lies_here("benchmarks")
    assert not lies_here("msgspec")


def test_a_package_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(own_packages, "find_spec", lambda name: None)
    with pytest.raises(ForeignPackage, match="there is no package 'contracts' beside"):
        refuse_foreign()
    assert cli.main(["--version"]) == 1
    assert "Maybe the installation is incomplete: install dispatcher again." in capsys.readouterr().err
