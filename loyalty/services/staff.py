"""Which programs a member of staff may work in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser

from loyalty.models import Program, StaffProgram

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet


def programs_of(user: User | AnonymousUser) -> QuerySet[Program]:
    """Return the programs that this person may see and work in.

    All of them for superusers, and for staff who are bound to none.
    """
    programs = Program.objects.all()
    if user.is_superuser or isinstance(user, AnonymousUser):
        return programs
    bound = StaffProgram.objects.filter(user=user).values("program_id")
    if not bound.exists():
        return programs
    return programs.filter(pk__in=bound)


def bind_to_new_program(user: User | AnonymousUser, program: Program) -> None:
    """Let a person who is bound to programs work in one that they just created."""
    if isinstance(user, AnonymousUser):
        return
    if StaffProgram.objects.filter(user=user).exists():
        StaffProgram.objects.get_or_create(user=user, program=program)
