"""A service that has only what the comparison needs: accounts, tokens, and one view that says who calls."""

import os
from datetime import timedelta

SECRET_KEY = os.environ["PEER_SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "peer.urls"
WSGI_APPLICATION = "peer.wsgi.application"
USE_TZ = True

# No sessions and no CSRF: a service that only gets bearer tokens needs neither.
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "rest_framework_simplejwt",
    "rest_framework_simplejwt.token_blacklist",
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": os.environ["PEER_POSTGRES_PORT"],
        "NAME": "django",
        "USER": "peers",
        "PASSWORD": os.environ["PEER_POSTGRES_PASSWORD"],
        # A thread keeps its connection: to connect for each call would measure the password check of PostgreSQL.
        "CONN_MAX_AGE": None,
    }
}

PASSWORD_HASHERS = ["peer.hashers.SameCost"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

# Each refresh rotates the token and records the old one, as Countersign does. Otherwise a refresh would touch nothing.
SIMPLE_JWT = {
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
}
