"""Which programs a member of staff works in."""

from django.conf import settings
from django.db import models

from loyalty.models.programme import Program


class StaffProgram(models.Model):
    """Binds a member of staff to a program.

    Who has no such row works in every program of the installation.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        verbose_name="staff",
        related_name="staff_programs",
    )
    program = models.ForeignKey(
        Program, on_delete=models.CASCADE, related_name="staff_programs"
    )

    class Meta:
        verbose_name = "program of a staff member"
        verbose_name_plural = "programs of staff members"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "program"],
                name="staff_program_once",
                violation_error_message="This person is bound to the program already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.program}"
