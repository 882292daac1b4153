"""Lists of products that campaigns pay for."""

from django.db import models
from django.db.models import Q

from loyalty.models import Program


class ItemList(models.Model):
    """A named list of products, up to hundreds of thousands."""

    program = models.ForeignKey(Program, on_delete=models.PROTECT)
    code = models.SlugField(max_length=50)
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "code"],
                name="item_list_code_once_per_program",
                violation_error_message="This program has a list with this code.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ListedItem(models.Model):
    """One product on a list."""

    item_list = models.ForeignKey(
        ItemList, on_delete=models.CASCADE, related_name="items"
    )
    item_id = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item_id", "item_list"],
                name="item_once_per_list",
                violation_error_message="This product is on the list already.",
            ),
            models.CheckConstraint(
                condition=~Q(item_id=""),
                name="listed_item_is_not_blank",
                violation_error_message="A product needs an id.",
            ),
        ]

    def __str__(self) -> str:
        return self.item_id
