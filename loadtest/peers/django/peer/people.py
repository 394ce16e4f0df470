"""Creates the accounts of the comparison. Their user name is their address, because people log in with it."""

import os

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402  (there are no models before the setup)

users = get_user_model().objects
for number in range(int(os.environ["PEER_PEOPLE"])):
    address = f"person{number}@example.org"
    users.create_user(address, address, os.environ["PEER_PASSWORD"])
