"""The Compose file, as far as a file can be checked without Docker."""

import re

import pytest
import yaml

from conftest import ROOT

FOLDER = ROOT / "cluster"
SECRET = re.compile(r"PASSWORD|KEY|TOKEN|ROOT_USER")
REQUIRED = re.compile(r"(?:root:)?\$\{(\w+):\?[^}]+\}")
FIELDS = {
    *("build", "image", "command", "environment", "ports", "volumes", "depends_on", "restart"),
    *("healthcheck", "shm_size", "deploy"),
}


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services(compose):
    return compose["services"]


def test_there_are_milvus_with_its_stores_and_a_ray_cluster(compose, services):
    assert set(services) == {"etcd", "minio", "milvus", "ray-head", "ray-worker"}
    assert {key for key in compose if not key.startswith("x-")} == {"name", "services", "volumes"}
    assert all(set(service) <= FIELDS for service in services.values())


def test_every_service_is_watched_and_started_again(services):
    for service in services.values():
        assert service["healthcheck"]["test"][0] == "CMD" and service["restart"] == "unless-stopped"
        assert {"interval", "timeout", "retries"} <= set(service["healthcheck"])


def test_nothing_starts_before_what_it_needs_is_healthy(services):
    needs = {name: service.get("depends_on", {}) for name, service in services.items()}
    assert set(needs["milvus"]) == {"etcd", "minio"} and set(needs["ray-worker"]) == {"ray-head"}
    for wanted in needs.values():
        assert all(how == {"condition": "service_healthy"} for how in wanted.values())
        assert set(wanted) <= set(services)


def test_no_secret_is_written_down_or_has_a_default(services):
    found = set()
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if SECRET.search(name):
                given = REQUIRED.fullmatch(value)
                assert given, f"{name} must be asked for as ${{NAME:?message}}"
                found.add(given.group(1))
    assert found == {"MINIO_USER", "MINIO_PASSWORD", "MILVUS_PASSWORD"}
    assert services["milvus"]["environment"]["COMMON_SECURITY_AUTHORIZATIONENABLED"] == "true"


def test_the_example_names_what_must_be_set_and_gives_no_password():
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    lines = (FOLDER / "example.env").read_text(encoding="utf-8").splitlines()
    example = dict(line.split("=") for line in lines if line and not line.startswith("#"))
    assert set(re.findall(r"\$\{(\w+)", text)) == set(example)
    asked = set(re.findall(r"\$\{(\w+):\?", text))
    assert all(not example[name] for name in asked) and asked == set(example) - {"WORKERS"}


def test_ports_are_open_to_this_machine_only_and_ray_has_none(services):
    ports = {name: service.get("ports", []) for name, service in services.items()}
    assert ports.pop("milvus") == ["127.0.0.1:19530:19530"]
    assert not any(ports.values())


def test_what_is_kept_is_kept_in_volumes_with_names(compose, services):
    for name in ("etcd", "minio", "milvus"):
        ((volume, _),) = [each.split(":") for each in services[name]["volumes"]]
        assert volume in compose["volumes"]
    assert set(compose["volumes"]) == {"etcd", "minio", "milvus"}


def test_images_have_versions_that_the_pinned_clients_support(services):
    tags = {name: service["image"].partition(":")[2] for name, service in services.items()}
    assert all(tags[name] and tags[name] != "latest" for name in ("etcd", "minio", "milvus"))
    server = version(tags["milvus"].lstrip("v"))
    for requirements in ("requirements.txt", "requirements-portable.txt"):
        text = (ROOT / requirements).read_text(encoding="utf-8")
        clients = [version(found) for found in re.findall(r"(?m)^pymilvus==([\d.]+)", text)]
        assert clients and server[:2] <= max(clients)[:2]


def test_ray_runs_what_the_project_pins(services):
    for name in ("ray-head", "ray-worker"):
        build = services[name]["build"]
        dockerfile = (FOLDER / build["context"] / build["dockerfile"]).resolve()
        text = dockerfile.read_text(encoding="utf-8")
        assert '-r requirements-portable.txt -e ".[cluster]"' in text
        for copied in re.findall(r"(?m)^COPY (.+) \S+$", text):
            assert all((ROOT / path).exists() for path in copied.split())
        assert services[name]["command"].startswith("ray start ")


def version(text):
    return tuple(map(int, text.split(".")))
