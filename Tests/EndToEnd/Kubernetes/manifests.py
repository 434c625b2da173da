#!/usr/bin/env python3
"""Checks the manifests of `deploy/kubernetes` by the schemas of Kubernetes itself, and what they say of one another.

    manifests.py PROJECT SETTINGS

The host's settings, as the ConfigMap has them, are written to SETTINGS. KEDA's kinds are not among Kubernetes' schemas: of them the
references are checked.
"""

import sys
from pathlib import Path

import kubernetes_validate
import yaml

VERSION = "1.34"


def documents(folder):
    return {file.name: list(yaml.safe_load_all(file.read_text())) for file in sorted(folder.glob("*.yaml"))}


def check(holds, what):
    if not holds:
        sys.exit(what)


def streams(functions):
    """What the functions read: stream and group."""
    manifests = [yaml.safe_load(file.read_text()) for file in functions.glob("*/function.yaml")]
    return {
        (trigger["stream"], trigger.get("group", manifest["name"]))
        for manifest in manifests
        for trigger in manifest.get("triggers", {}).get("redis", [])
        if "stream" in trigger
    }


def main():
    project, settings = (Path(word) for word in sys.argv[1:])
    files = documents(project / "deploy/kubernetes")
    kinds = {document["kind"]: document for document in files["swiftlet.yaml"] if document["kind"] != "Service"}
    for name, found in files.items():
        for document in found:
            if not document["apiVersion"].startswith("keda.sh/"):
                kubernetes_validate.validate(document, VERSION, strict=True)

    hosts = kinds["StatefulSet"]
    pod = hosts["spec"]["template"]
    [container] = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    host = yaml.safe_load(kinds["ConfigMap"]["data"]["swiftlet.yaml"])
    check(ports == {"http": host["gateway"]["port"], "admin": host["admin"]["port"]}, f"ports: {ports}")
    for document in files["swiftlet.yaml"]:
        if document["kind"] == "Service":
            targets = {port["targetPort"] for port in document["spec"]["ports"]}
            check(targets <= set(ports), f"a service's ports: {targets}")
            labels = document["spec"]["selector"].items()
            check(labels <= pod["metadata"]["labels"].items(), "a service selects no pod")
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"]:
        check(container[probe]["httpGet"]["port"] in ports, probe)
    slept = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    grace = int(host["stop"]["grace"].removesuffix("s"))
    check(slept + grace < pod["spec"]["terminationGracePeriodSeconds"], "pods are killed while they drain")
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    check(Path(host["data"]).parent.as_posix() in mounts, "the data lie on no volume")

    keda = {document["kind"]: document for document in files["keda.yaml"]}
    target = {"apiVersion": hosts["apiVersion"], "kind": hosts["kind"], "name": hosts["metadata"]["name"]}
    [autoscaler] = files["hpa.yaml"]
    for scaler in [keda["ScaledObject"], autoscaler]:
        check(scaler["spec"]["scaleTargetRef"] == target, f"what is scaled: {scaler['spec']['scaleTargetRef']}")
    read = streams(project / "Functions")
    for trigger in keda["ScaledObject"]["spec"]["triggers"]:
        check(all(isinstance(value, str) for value in trigger["metadata"].values()), "KEDA takes text alone")
        if trigger["type"] == "redis-streams":
            named = (trigger["metadata"]["stream"], trigger["metadata"]["consumerGroup"])
            check(named in read, f"no function reads {named}; they read {sorted(read)}")
            check(trigger["authenticationRef"]["name"] == keda["TriggerAuthentication"]["metadata"]["name"], "no password")
    settings.write_text(kinds["ConfigMap"]["data"]["swiftlet.yaml"])


if __name__ == "__main__":
    main()
