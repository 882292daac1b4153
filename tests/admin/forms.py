"""Filling in the forms of the admin as a browser would: what is shown is sent."""

from typing import Any

from django.forms import ModelMultipleChoiceField, MultipleChoiceField
from django.urls import reverse
from django.utils import timezone

from loyalty.admin.working_program import working_program, zone_of

_MULTIPLE = (ModelMultipleChoiceField, MultipleChoiceField)


def page(model, name, *args):
    """The address of one of a model's pages."""
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=args)


def shown(client, address):
    """What the form at ``address`` would send, untouched."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    # Moments are shown on the program's clock.
    with timezone.override(zone_of(working_program(answer.wsgi_request))):
        sent = _sent(answer.context["adminform"].form)
        for inline in answer.context["inline_admin_formsets"]:
            sent |= _sent(inline.formset.management_form)
            for form in inline.formset.initial_forms:
                sent |= _sent(form)
    if "version" in answer.context:
        sent["_version"] = answer.context["version"]
    return sent


def save(client, address, **changes):
    """Change some fields of the form at ``address`` and press Save."""
    sent = {**shown(client, address), **changes}
    return client.post(
        address, {name: value for name, value in sent.items() if value is not None}
    )


def complaints(answer):
    """Every sentence that the form shows as an error."""
    assert answer.status_code == 200, answer.get("Location")
    errors = answer.context["adminform"].form.errors
    sentences = [sentence for field in errors.values() for sentence in field]
    for inline in answer.context["inline_admin_formsets"]:
        for form in inline.formset.forms:
            sentences += [one for field in form.errors.values() for one in field]
    return sentences


def _sent(form):
    sent: dict[str, Any] = {}
    for field in form:
        value = field.value()
        if hasattr(field.field.widget, "decompress"):
            parts = field.field.widget.decompress(value)
            for number, part in enumerate(parts):
                sent[f"{field.html_name}_{number}"] = "" if part is None else str(part)
        elif not value and isinstance(field.field, _MULTIPLE):
            sent[field.html_name] = []
        elif isinstance(value, bool):
            sent[field.html_name] = "on" if value else None
        elif isinstance(value, list | tuple):
            sent[field.html_name] = [str(getattr(one, "pk", one)) for one in value]
        else:
            sent[field.html_name] = "" if value is None else str(value)
    return sent
