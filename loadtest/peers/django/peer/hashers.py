import os

from django.contrib.auth.hashers import Argon2PasswordHasher


class SameCost(Argon2PasswordHasher):
    """Argon2id at the cost that all peers have."""

    memory_cost = int(os.environ["PEER_ARGON2_MEMORY_KIB"])
    time_cost = int(os.environ["PEER_ARGON2_ITERATIONS"])
    parallelism = int(os.environ["PEER_ARGON2_PARALLELISM"])
