"""Validates an export with PyPI fhir.resources, whose models are those of FHIR R4 (4.0.1).

    pip install -r tests/interop/fhir-requirements.txt
    python validate_fhir.py FILE

FILE is a Bundle or NDJSON. Every resource is validated by the model of its type, and a Bundle as
a whole, too. Prints one line of JSON for each resource that is not valid: its place, its type and
where it is not. Exit code 0 means that all could be looked at. Beside the models it checks what
they leave open: the words of required value sets that an export writes.
"""

import json
import re
import sys

import fhir.resources
from fhir.resources import get_fhir_model_class

# Required value sets of R4 (https://hl7.org/fhir/R4), of the elements that an export writes.
WORDS = {
    ("Bundle", "type"): "document message transaction transaction-response batch batch-response history "
    "searchset collection",
    ("Procedure", "status"): "preparation in-progress not-done on-hold stopped completed entered-in-error unknown",
    ("CarePlan", "status"): "draft active on-hold revoked completed entered-in-error unknown",
    ("CarePlan", "intent"): "proposal plan order option",
    ("MedicationRequest", "status"): "active on-hold cancelled completed entered-in-error stopped draft unknown",
    ("MedicationRequest", "intent"): "proposal plan order original-order reflex-order filler-order instance-order "
    "option",
    ("MedicationStatement", "status"): "active completed entered-in-error intended stopped on-hold unknown not-taken",
    ("MedicationDispense", "status"): "preparation in-progress cancelled on-hold completed entered-in-error stopped "
    "declined unknown",
    ("MedicationAdministration", "status"): "in-progress not-done on-hold completed entered-in-error stopped unknown",
    ("Encounter", "status"): "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown",
    ("Observation", "status"): "registered preliminary final amended corrected cancelled entered-in-error unknown",
    ("Immunization", "status"): "completed entered-in-error not-done",
    ("FamilyMemberHistory", "status"): "partial completed entered-in-error health-unknown",
    ("DocumentReference", "status"): "current superseded entered-in-error",
    ("DocumentReference", "docStatus"): "preliminary final amended entered-in-error",
    ("AllergyIntolerance", "type"): "allergy intolerance",
    ("AllergyIntolerance", "criticality"): "low high unable-to-assess",
    ("Patient", "gender"): "male female other unknown",
    ("Practitioner", "gender"): "male female other unknown",
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
DATE_TIME = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?$")


def words(resource):
    for (name, element), allowed in WORDS.items():
        said = resource.get(element)
        if resource["resourceType"] == name and said is not None and said not in allowed.split():
            yield f"{name}.{element}"


def invariants(resource):
    """Constraints of R4 that an entry as people write it could break, by their names there."""

    def codes(element):
        return [coding.get("code") for coding in resource.get(element, {}).get("coding", [])]

    is_error = "entered-in-error" in codes("verificationStatus")
    name = resource["resourceType"]
    if name == "Condition":
        ends = any(key.startswith("abatement") for key in resource)
        if ends and not {"inactive", "remission", "resolved"} & set(codes("clinicalStatus")):
            yield "con-4"
        if is_error and "clinicalStatus" in resource:
            yield "con-5"
    if name == "AllergyIntolerance":
        if not is_error and "clinicalStatus" not in resource:
            yield "ait-1"
        if is_error and "clinicalStatus" in resource:
            yield "ait-2"
    if name == "Observation" and "dataAbsentReason" in resource and any(key.startswith("value") for key in resource):
        yield "obs-6"
    if name == "Organization" and "name" not in resource and "identifier" not in resource:
        yield "org-1"
    if name == "MedicationAdministration" and "dosage" in resource and "dose" not in resource["dosage"]:
        yield "mad-1"


def elements(value, path):
    """Whatever the models let pass: empty values, and times that are none."""
    if isinstance(value, dict):
        if not value:
            yield f"{path} is empty"
        for name, inner in value.items():
            if name.endswith(("DateTime", "recordedDate", "authoredOn")) and isinstance(inner, str):
                if not DATE_TIME.match(inner):
                    yield f"{path}.{name} is no dateTime"
            if name in ("issued", "timestamp") and isinstance(inner, str) and not INSTANT.match(inner):
                yield f"{path}.{name} is no instant"
            yield from elements(inner, f"{path}.{name}")
    elif isinstance(value, list):
        if not value:
            yield f"{path} is empty"
        for inner in value:
            yield from elements(inner, path)
    elif value is None or value == "":
        yield f"{path} is empty"


def faults(resource):
    try:
        model = get_fhir_model_class(resource["resourceType"])
        model.parse_obj(resource)
    except Exception as error:  # the models raise errors of several libraries
        where = error.errors() if hasattr(error, "errors") else [{"loc": [type(error).__name__]}]
        for fault in where:
            yield ".".join(str(part) for part in fault["loc"])
    yield from words(resource)
    yield from invariants(resource)
    yield from elements(resource, resource["resourceType"])


def resources(text):
    if text.startswith('{"resourceType":"Bundle"'):
        bundle = json.loads(text)
        shell = dict(bundle, entry=[dict(entry, resource={"resourceType": "Basic", "code": {"text": "x"}})
                                    for entry in bundle["entry"]])
        yield "bundle", shell
        urls = [entry["fullUrl"] for entry in bundle["entry"]]
        if len(set(urls)) != len(urls):
            print(json.dumps({"at": "bundle", "type": "Bundle", "faults": ["a fullUrl is there twice"]}))
        for number, entry in enumerate(bundle["entry"]):
            yield number, entry["resource"]
    else:
        for number, line in enumerate(text.splitlines()):
            yield number, json.loads(line)


def main(path):
    if fhir.resources.__fhir_version__ != "4.0.1":
        sys.exit("these models are not those of R4")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    seen = 0
    for at, resource in resources(text):
        seen += 1
        found = sorted(set(faults(resource)))
        if found:
            print(json.dumps({"at": at, "type": resource["resourceType"], "faults": found[:8]}))
    print(json.dumps({"resources": seen}))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
