"""What every model and migration of ours keeps to."""

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.models import CheckConstraint, UniqueConstraint

OURS = ("loyalty", "campaigns", "activities")
MODELS = [model for name in OURS for model in apps.get_app_config(name).get_models()]
CONSTRAINTS = [
    pytest.param(constraint, id=f"{model.__name__}-{constraint.name}")
    for model in MODELS
    for constraint in model._meta.constraints
]


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_a_broken_rule_reads_as_a_sentence(constraint):
    is_told_by_django = (
        isinstance(constraint, UniqueConstraint)
        and constraint.fields
        and constraint.condition is None
    )
    message = str(constraint.violation_error_message)

    if not is_told_by_django:
        assert message != constraint.default_violation_error_message
    if isinstance(constraint, CheckConstraint):
        assert message.lstrip("“")[0].isupper()
        assert message.endswith(".")


@pytest.mark.parametrize(
    "model",
    # The package that API keys come from sorts them.
    [model for model in MODELS if model.__name__ != "ApiKey"],
    ids=lambda model: model.__name__,
)
def test_no_model_sorts_behind_the_back_of_its_queries(model):
    assert not model._meta.ordering


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_row_says_what_it_is(model):
    assert "__str__" in {
        name
        for base in model.__mro__
        if base.__module__[:6] != "django"
        for name in vars(base)
    }


@pytest.mark.parametrize("name", OURS)
def test_migrations_form_one_line(name):
    graph = MigrationLoader(None).graph

    assert len(graph.leaf_nodes(name)) == 1


@pytest.mark.parametrize("name", OURS)
def test_migrations_are_named_for_what_they_do(name):
    disk = MigrationLoader(None).disk_migrations
    names = [migration for app, migration in disk if app == name]

    assert not [one for one in names if "_auto_" in one or one.endswith("_merge")]
