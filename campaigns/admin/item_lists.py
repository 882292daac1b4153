"""Pages of product lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin, messages
from django.core.files.storage import default_storage
from django.db.models import Count
from django.http import HttpResponse, StreamingHttpResponse
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminRadioSelectWidget

from campaigns.models import ItemList, ListedItem
from campaigns.services.item_uploads import ItemChange, item_lines, upload_items
from loyalty.admin.bases import OwnProgramFilter, ProgramAdmin
from loyalty.admin.confirming import Question, ask, is_confirmed
from loyalty.admin.formatting import list_page
from loyalty.admin.lists import (
    USED_ALREADY,
    NamesFileForm,
    forget_file,
    show_file,
    shown_file,
)
from loyalty.admin.points import link_to
from loyalty.services.lists import UnreadableList

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


class ItemsFileForm(NamesFileForm):
    """A file of products and what it does."""

    change = forms.ChoiceField(
        label="What the file does",
        choices=[
            (ItemChange.ADD.value, "Its products are added"),
            (ItemChange.REPLACE.value, "Its products replace the whole list"),
        ],
        initial=ItemChange.ADD.value,
        widget=UnfoldAdminRadioSelectWidget,
    )


@admin.register(ItemList)
class ItemListAdmin(ProgramAdmin):
    """Products that campaigns pay for."""

    list_display = ("name", "code", "product_count", "products_link")
    search_fields = ("name", "code")
    ordering = ("name", "pk")
    actions_detail = ("show_products", "upload_file", "download")
    fieldsets = (("What", {"fields": ("program", "name", "code")}),)

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: ItemList | None = None
    ) -> dict[str, tuple[str, ...]]:
        return {} if obj else {"code": ("name",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(products=Count("items"))

    @display(description="Products", ordering="products")
    def product_count(self, item_list: ItemList) -> str:
        """Return how many products are on it."""
        return f"{item_list.products:,}"  # type: ignore[attr-defined]

    @display(description="")
    def products_link(self, item_list: ItemList) -> SafeString:
        """Return a link to the products."""
        return link_to(_products_page(item_list), "Show products")

    @action(description="Products", permissions=["view"], icon="list")
    def show_products(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what is on it, page by page, with a search."""
        item_list = self.row_or_404(request, object_id)
        return HttpResponse(status=302, headers={"Location": _products_page(item_list)})

    @action(description="Upload a file", permissions=["change"], icon="upload_file")
    def upload_file(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Add the products of a file, or replace the list."""
        item_list = self.row_or_404(request, object_id)
        back = self.address_of("change", item_list.pk)
        if is_confirmed(request) and "token" in request.POST:
            return self._take_products(request, item_list)
        posted = (request.POST, request.FILES) if is_confirmed(request) else ()
        form = ItemsFileForm(*posted)
        if is_confirmed(request) and form.is_valid():
            try:
                shown, lines = show_file(
                    request, form.cleaned_data, purpose=f"products {item_list.pk}"
                )
            except UnreadableList as refusal:
                form.add_error("file", refusal.message)
            else:
                replaces = form.cleaned_data["change"] == ItemChange.REPLACE.value
                question = Question(
                    f"{'Replace' if replaces else 'Add to'} the list “{item_list}”?",
                    "This is how the file begins. If any line cannot be read, nothing "
                    "changes.",
                    "Take the products",
                    lines,
                    is_dangerous=replaces,
                )
                return ask(
                    request, self, question, form=shown, back=back, obj=item_list
                )
        question = Question(
            f"Upload products of “{item_list}”",
            f"{item_list.products:,} products are on it now. First you see how the "
            "file begins; nothing changes before you confirm.",
            "Show the products",
        )
        return ask(request, self, question, form=form, back=back, obj=item_list)

    def _take_products(self, request: HttpRequest, item_list: ItemList) -> HttpResponse:
        shown = shown_file(request, purpose=f"products {item_list.pk}")
        if shown is None:
            self.message_user(request, USED_ALREADY, messages.WARNING)
            return self.back_to(item_list)
        try:
            with default_storage.open(shown.path) as file:
                report = upload_items(
                    item_list,
                    file,
                    change=ItemChange(shown.options["change"]),
                    has_heading="has_heading" in request.POST,
                )
        except UnreadableList as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return self.back_to(item_list)
        finally:
            forget_file(request)
        text = (
            f"{report.line_count:,} lines: {report.added_count:,} products added, "
            f"{report.removed_count:,} taken off."
        )
        self.log_change(request, item_list, f"Uploaded a file. {text}")
        self.message_of(request, text)
        return self.back_to(item_list)

    @action(description="Download", permissions=["view"], icon="download")
    def download(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        """Stream the products."""
        item_list = self.row_or_404(request, object_id)
        name = f"{item_list.code}.csv"
        return StreamingHttpResponse(
            item_lines(item_list),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


@admin.register(ListedItem)
class ListedItemAdmin(ProgramAdmin):
    """Single products, for looking up, adding and taking off one by one."""

    program_path = "item_list__program"
    list_display = ("item_id", "item_list")
    list_filter = (("item_list", OwnProgramFilter),)
    search_fields = ("item_id__startswith",)
    search_help_text = "A product number, or how it begins."
    list_select_related = ("item_list",)
    autocomplete_fields = ("item_list",)
    ordering = ("item_list", "item_id")
    fieldsets = (("What", {"fields": ("item_list", "item_id")}),)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Reached from a list, not from the menu."""
        return False


def _products_page(item_list: ItemList) -> str:
    return list_page(ListedItem, item_list__id__exact=item_list.pk)
