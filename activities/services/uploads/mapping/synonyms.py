"""What columns are called, in several languages; written without accents and signs."""

from __future__ import annotations

import re
import unicodedata

_WORDS = {
    "key": (
        "key receiptno receiptnumber receipt receiptid ticketno ticketnumber "
        "ticket ticketid invoiceno invoicenumber transactionid transactionno "
        "transactionnumber transaction orderid orderno ordernumber bon bonnr "
        "bonnummer belegnr belegnummer beleg kassenbon quittung quittungsnummer "
        "rechnungsnummer rechnungsnr vorgangsnummer transaktionsnummer "
        "bestellnummer numeroticket nticket numticket numerorecu recu "
        "numerofacture facture numerocommande numerodeticket "
        "numerodetransaction numeroderecibo recibo numerofactura factura "
        "scontrino numeroscontrino nscontrino ricevuta kassabonnummer kassabon "
        "transactienummer paragon nrparagonu numerparagonu kvitto kvittonummer "
        "kvitteringsnummer recibon talao uctenka cislouctenky "
    ),
    "member": (
        "member memberid memberno membernumber customer customerid customerno "
        "customernumber card cardno cardnumber loyaltycard loyaltyid "
        "loyaltynumber clubcard kundennummer kundennr kunde kundenid "
        "kundenkarte kundenkartennummer karte kartennr kartennummer mitglied "
        "mitgliedsnummer mitgliedsnr client numeroclient codeclient nclient "
        "carte numerocarte numerodecarte cartefidelite numeroadherent cliente "
        "numerocliente numerodecliente codigocliente idcliente tarjeta "
        "numerotarjeta numerodetarjeta socio numerosocio codicecliente tessera "
        "numerotessera carta cartafedelta klant klantnummer klantnr kaart "
        "kaartnummer lidnummer klient nrklienta karta nrkarty numerkarty kund "
        "kundnummer kort kortnummer medlem medlemsnummer cartao numerocartao "
        "zakaznik cislokarty email emailaddress mail "
    ),
    "occurred_at": (
        "occurredat datetime date timestamp transactiondate transactiontime "
        "purchasedate saledate solddate orderdate datum datumuhrzeit "
        "datumundurhzeit datumzeit zeitpunkt zeitstempel kaufdatum belegdatum "
        "bondatum verkaufsdatum buchungsdatum jour dateheure datedachat "
        "datevente datetransaction dateticket fecha fechahora fechayhora "
        "fechacompra fechaventa data dataora dataeora datahora datavendita "
        "dataacquisto datumtijd tijdstip aankoopdatum transactiedatum dataczas "
        "datasprzedazy datazakupu datumochtid kopdatum dato datacompra datumcas "
    ),
    "time": (
        "time timeofday uhrzeit zeit heure hora ora tijd godzina czas klockslag "
        "tid klokkeslaet cas "
    ),
    "type": (
        "type activity activitytype transactiontype kind vorgang vorgangsart "
        "art typ bonart belegart transaktionsart aktivitat typedoperation "
        "operation typetransaction tipo tipooperacion tipotransaccion "
        "tipomovimento tipooperazione soort transactietype rodzaj typtransakcji "
        "transaktionstyp "
    ),
    "channel": (
        "channel saleschannel store storeid storeno storecode shop branch "
        "outlet location pos till filiale filialnr filialnummer markt kanal "
        "geschaft laden kasse kassennr magasin boutique canal codemagasin "
        "caisse tienda sucursal canalventa negozio puntovendita canale winkel "
        "filiaal kanaal sklep butik loja "
    ),
    "business_unit": (
        "businessunit unit banner brand country company unternehmen "
        "geschaftsbereich marke land mandant enseigne marque pays societe marca "
        "pais empresa marchio paese societa merk bedrijf marka kraj "
    ),
    "value": (
        "value amount total totalamount totalvalue grandtotal sum sales revenue "
        "turnover net gross price paid betrag gesamtbetrag summe bonsumme "
        "gesamt gesamtsumme umsatz endbetrag zahlbetrag brutto bruttobetrag "
        "wert preis montant montantttc montanttotal totalttc prix importe "
        "importetotal monto valor precio importo totale prezzo bedrag "
        "totaalbedrag totaal bedraginclbtw kwota wartosc suma belopp summa "
        "belob valortotal castka "
    ),
    "currency": (
        "currency currencycode iso waehrung wahrung wahrungscode devise monnaie "
        "moneda divisa valuta waluta moeda mena "
    ),
    "item_id": (
        "itemid item itemno itemnumber itemcode sku ean ean13 gtin barcode upc "
        "product productid productno productcode article articleno "
        "articlenumber artikel artikelnr artikelnummer artikelid artnr produkt "
        "produktnummer strichcode referencearticle codearticle codebarre "
        "codebarres produit codeproduit reference articulo codigoarticulo "
        "referencia producto codigoproducto codigodebarras articolo "
        "codicearticolo codiceprodotto prodotto codiceabarre artikelcode "
        "streepjescode towar kodtowaru kodkreskowy kodean indeks vare "
        "varenummer artigo produto "
    ),
    "item_value": (
        "itemvalue itemamount itemprice itemtotal lineamount linetotal "
        "linevalue linesum unittotal positionsbetrag positionssumme "
        "positionswert artikelpreis artikelbetrag zeilensumme zeilenbetrag "
        "montantligne totalligne importelinea totallinea importoriga totaleriga "
        "regelbedrag regeltotaal wartoscpozycji radbelopp "
    ),
    "item_quantity": (
        "itemquantity quantity qty count pieces units menge anzahl stuck stueck "
        "stk quantite qte nombre cantidad uds unidades quantita qta pezzi "
        "aantal hoeveelheid ilosc antal mangd quantidade qtd mnozstvi "
    ),
    "item_group": (
        "itemgroup group category productgroup productcategory department "
        "warengruppe warengruppennummer wg artikelgruppe kategorie famille "
        "rayon categorie categoriearticle familia categoria departamento gruppo "
        "reparto artikelgroep productgroep grupa kategoria varugrupp kategori "
        "varegruppe "
    ),
}
FIELD_OF = {
    word: field for field, words in reversed(_WORDS.items()) for word in words.split()
}
# Type names as tills write them, for programs that call the type PURCHASE or so.
_PURCHASES = (
    "purchase sale sales buy order einkauf kauf verkauf umsatz bon achat vente compra "
    "venta acquisto vendita aankoop verkoop zakup sprzedaz kop kjop nakup"
)
PURCHASE_WORDS = frozenset(_PURCHASES.split())


def plain(text: str) -> str:
    """Return a name without accents, signs and blanks, in small letters.

    >>> plain("Bon-Nr."), plain("Größe")
    ('bonnr', 'grosse')
    """
    letters = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l"))
    return re.sub(r"[^0-9a-z]", "", letters)


def field_of(header: str) -> str:
    """Return the field that a column of this name probably is, "" if none.

    >>> field_of("Bon-Nr."), field_of("Montant TTC (€)"), field_of("Kassierer")
    ('key', 'value', '')
    """
    found = FIELD_OF.get(plain(header))
    if found is None:
        without_unit = re.sub(
            r"\(.*?\)|\[.*?\]|\bin (?:eur|usd|chf)\b", "", header.lower()
        )
        found = FIELD_OF.get(plain(without_unit))
    return found or ""
