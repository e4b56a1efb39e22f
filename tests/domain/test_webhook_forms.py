"""A stored webhook says its form before its address, so that its record is as it always was."""

from __future__ import annotations

import pytest

from contracts.webhooks import WebhookForm, WebhookState
from dispatcher.domain.webhooks import WebhookRecord, kept_url


def hook(url: str) -> WebhookRecord:
    return WebhookRecord(
        id="w1",
        version=1,
        vendor_id="v1",
        url=url,
        events=(),
        state=WebhookState.ACTIVE,
        created_ms=0,
        timer_ms=0,
        secrets=(),
        begin="0-0",
    )


@pytest.mark.parametrize("form", WebhookForm)
@pytest.mark.parametrize("url", ["https://vans.example/tds", "https://vans.example/a+b?c=tcrp210+d"])
def test_form_and_address_are_read_as_they_were_kept(form: WebhookForm, url: str) -> None:
    kept = hook(kept_url(form, url))
    assert (kept.form, kept.address) == (form, url)


def test_what_speaks_cloud_events_is_kept_as_before_there_were_forms() -> None:
    assert kept_url(WebhookForm.CLOUD_EVENTS, "https://a.example/b") == "https://a.example/b"


def test_a_form_of_a_later_version_is_no_address_of_ours() -> None:
    later = hook("x12+https://vans.example/tds")
    assert later.form is WebhookForm.CLOUD_EVENTS
    assert later.address == "x12+https://vans.example/tds"  # nothing can be called by it: it is tried again
