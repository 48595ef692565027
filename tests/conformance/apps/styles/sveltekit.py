"""How SvelteKit judges a form in what it serves with `vite preview`; `vite dev` judges none.

After `respond` of its server runtime and the base that its preview server gives each request, SvelteKit 2.
"""

from wsgiref.types import WSGIEnvironment

from pages import serve

FORM_CONTENT_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


def base_url(environ: WSGIEnvironment) -> str:
    return f"http://{environ['HTTP_HOST']}"


def refusal(environ: WSGIEnvironment) -> str:
    content_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    is_form = environ["REQUEST_METHOD"] in ("POST", "PUT", "PATCH", "DELETE") and content_type in FORM_CONTENT_TYPES
    if is_form and environ.get("HTTP_ORIGIN") != base_url(environ):
        return f"Cross-site {environ['REQUEST_METHOD']} form submissions are forbidden"
    return ""


if __name__ == "__main__":
    serve(base_url, refusal)
