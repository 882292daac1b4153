"""Use cases of the program and its members."""

from loyalty.services.members import (
    Enrolled,
    Enrolment,
    IdentityTaken,
    UnknownIdentity,
    add_identities,
    enrol_member,
    member_numbered,
    member_with,
    member_with_any,
)
from loyalty.services.memberships import (
    UnknownMembers,
    add_members,
    remove_members,
)

__all__ = [
    "Enrolled",
    "Enrolment",
    "IdentityTaken",
    "UnknownIdentity",
    "UnknownMembers",
    "add_identities",
    "add_members",
    "enrol_member",
    "member_numbered",
    "member_with",
    "member_with_any",
    "remove_members",
]
