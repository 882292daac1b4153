"""Lists of products that campaigns pay for."""

from django.db import models
from django.db.models import Q

from loyalty.engine.codes import item_key
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


class ItemKeyField(models.CharField):  # type: ignore[type-arg]
    """By what a product is compared, worked out whenever its row is written."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: FBT001 (Django's signature)
        """Work out the key of the product's id."""
        key = item_key(str(model_instance.item_id))  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, key)
        return key


class ListedItem(models.Model):
    """One product on a list; its id is stored as given and compared by its key."""

    item_list = models.ForeignKey(
        ItemList, on_delete=models.CASCADE, related_name="items"
    )
    item_id = models.CharField(max_length=100)
    item_key = ItemKeyField(max_length=400, default="", db_default="", editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["item_key", "item_list"], name="item_by_its_key"),
        ]
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
