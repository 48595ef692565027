from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse


def index(request: HttpRequest) -> HttpResponse:
    received = request.POST.get("message", "")
    return render(request, "index.html", {"greeting": "before", "received": received})


def old(request: HttpRequest) -> HttpResponse:
    return redirect(request.build_absolute_uri(reverse("new")))


def new(_: HttpRequest) -> HttpResponse:
    return HttpResponse('<link rel="icon" href="data:,"><p id="new">new</p>')
