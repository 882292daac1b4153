"""Pages of the schedule of background work."""

from __future__ import annotations

from django.contrib import admin
from django_celery_beat.admin import (
    ClockedScheduleAdmin,
    CrontabScheduleAdmin,
    PeriodicTaskAdmin,
    PeriodicTaskForm,
    TaskSelectWidget,
)
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from loyalty.admin.deleting import QuickDelete
from loyalty.admin.filters import DaysFilter
from loyalty.admin.versions import Versioned

for model in (
    PeriodicTask,
    IntervalSchedule,
    CrontabSchedule,
    SolarSchedule,
    ClockedSchedule,
):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class TaskSelect(UnfoldAdminSelectWidget, TaskSelectWidget):
    """A menu of the tasks that workers know."""


class TaskForm(PeriodicTaskForm):
    """The schedule's form in the look of the admin."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Dress the two fields for the task."""
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelect()


@admin.register(PeriodicTask)
class ScheduledTaskAdmin(QuickDelete, Versioned, PeriodicTaskAdmin, ModelAdmin):
    """What runs when."""

    form = TaskForm
    # The package's own page has a script inside it, which the site's policy refuses.
    change_form_template = None
    list_filter_submit = True
    list_filter = (
        "enabled",
        "one_off",
        "task",
        ("start_time", DaysFilter),
        ("last_run_at", DaysFilter),
    )


@admin.register(IntervalSchedule)
class EveryAdmin(QuickDelete, Versioned, ModelAdmin):
    """Every so many seconds, minutes, hours or days."""

    ordering = ("every",)


@admin.register(CrontabSchedule)
class CrontabAdmin(QuickDelete, Versioned, CrontabScheduleAdmin, ModelAdmin):
    """At times of day, days of the week or month."""

    inlines = ()
    ordering = ("hour", "minute")


@admin.register(ClockedSchedule)
class OnceAdmin(QuickDelete, Versioned, ClockedScheduleAdmin, ModelAdmin):
    """Once."""

    inlines = ()
    ordering = ("clocked_time",)


@admin.register(SolarSchedule)
class SolarAdmin(QuickDelete, Versioned, ModelAdmin):
    """At sunrise or sunset."""

    ordering = ("event",)
