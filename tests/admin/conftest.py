"""Plumbing for tests of the admin: people who are signed in."""

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command


@pytest.fixture
def groups(db):
    """The groups that staff belong to."""
    call_command("create_groups")


@pytest.fixture
def marketer(groups):
    """Somebody of marketing."""
    return _member_of("Marketing")


@pytest.fixture
def staff_of(groups):
    """Makes somebody of a group."""
    return _member_of


@pytest.fixture
def analyst(groups):
    """Somebody who only looks."""
    return _member_of("Analyst")


@pytest.fixture
def operator(groups):
    """Somebody who looks after uploads and may undo."""
    return _member_of("Operator")


@pytest.fixture
def marketing(client, marketer):
    """A browser in which somebody of marketing is signed in."""
    client.force_login(marketer)
    return client


def _member_of(group):
    user = User.objects.create_user(group.lower(), password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user
