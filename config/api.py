"""What the API's documentation says before the operations."""

API_DESCRIPTION = """
Record what members do; read what it earned and why.

**Keys.** Send `Authorization: Bearer <key>` or `X-API-Key: <key>`. A key belongs to
one program: nothing of another one can be seen or named. It reads, writes, or both,
and may be bound to business units. Clients that speak OAuth 2.0 get an access token for
it at `POST /oauth/token` (client credentials) and send that in place of the key.

**Repeating requests.** Activities carry a `key` of yours. Repeat a request as often
as you must: it counts once, and the answer is the first one, byte for byte. Other
POSTs honour the `Idempotency-Key` header. A request that was refused leaves its key
free.

**Errors** are `application/problem+json` (RFC 9457). `code` never changes; `errors`
points at each wrong part.

**Numbers and moments.** Values are exact decimals with at most four digits after the
point, sent as text or as a number without exponent. Points are JSON numbers in the
wallet's own unit. Moments are RFC 3339 and come back in UTC.

**Lists** come in pages of 50, at most 200; `next` is the path of the next page.

**Rates.** `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds)
tell where the key stands; over the limit, 429 with `Retry-After`.
""".strip()
