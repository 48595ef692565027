"""Which package of Debian has what compilers, linkers and shells don't find."""

from __future__ import annotations

import re

# Each by the headers, libraries, pkg-config names and programs that others ask for.
_PACKAGES = {
    "default-libmysqlclient-dev": r"mysql\.h|mysqlclient|mysql_config|mariadb_config|valid pkg-config name",
    "libpq-dev": r"pg_config|libpq-fe\.h|pq",
    "libcairo2-dev": r"cairo.*",
    "libpango1.0-dev": r"pango.*",
    "libgobject-2.0-0": r"gobject.*|libgobject.*",
    "libffi-dev": r"ffi\.h|libffi|ffi",
    "libssl-dev": r"openssl/.*|openssl|ssl|crypto",
    "libldap-dev": r"l(?:ber|dap)\.h|ldap.*|lber",
    "libsasl2-dev": r"sasl.*",
    "libxmlsec1-dev": r"xmlsec.*",
    "libxml2-dev": r"libxml/.*|libxml-2\.0|xml2(?:[-_]config)?",
    "libxslt1-dev": r"libxslt/.*|libxslt|xslt(?:[-_]config)?",
    "libjpeg-dev": r"jpeglib\.h|libjpeg|jpeg",
    "libvips-dev": r"vips.*",
    "libgdal-dev": r"gdal.*",
    "unixodbc-dev": r"sql(?:ext)?\.h|odbc|libodbc\.so.*",
    "libgl1": r"libGL\.so\.1",
    "libnss3": r"libnss3\.so",
    "portaudio19-dev": r"portaudio.*",
    "libsqlite3-dev": r"sqlite3(?:\.h)?",
    "libyaml-dev": r"yaml\.h|yaml",
    "zlib1g-dev": r"zlib\.h|zlib|z",
    "libicu-dev": r"unicode/.*|icu-.*",
    "default-jdk": r"jni\.h",
    "pkgconf": r"pkg-config|pkgconf",
    "cmake": r"cmake",
    "php-cli": r"php",
    "composer": r"composer",
    "ffmpeg": r"ffmpeg|ffprobe",
    "graphviz": r"dot",
    "imagemagick": r"convert|magick|identify",
    "chromium": r"chromium(?:-browser)?|google-chrome(?:-stable)?",
}


def debian_package(what: str) -> str | None:
    """Return the package that has a header, library or program; None where that isn't known."""
    return next((package for package, names in _PACKAGES.items() if re.fullmatch(names, what)), None)
