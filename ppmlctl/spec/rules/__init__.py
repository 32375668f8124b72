"""Rules across keys. Each takes the environment as it was written, before defaults, and yields what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding
from ppmlctl.spec.kind import Kind
from ppmlctl.spec.language import KindRule
from ppmlctl.spec.rules.attestation import (
    attestation_has_what_it_needs,
    attestation_urls_can_be_split,
    pccs_has_no_path,
    quotes_can_be_verified,
    service_is_weighed,
)
from ppmlctl.spec.rules.attestation_deploy import deployed_service_can_judge
from ppmlctl.spec.rules.command_words import expected_text_is_the_applications, words_survive_the_enclave
from ppmlctl.spec.rules.ehsm_keys import ehsm_keys_fit_what_they_are_for
from ppmlctl.spec.rules.enclave import findings_have_known_names, signer_is_whole
from ppmlctl.spec.rules.encrypted_fs import encrypted_folder_has_one_key, encrypted_folders_can_be_opened
from ppmlctl.spec.rules.image_variables import variables_are_not_the_images
from ppmlctl.spec.rules.images import (
    base_fits_builder,
    enclave_size_is_a_power_of_two,
    manifest_variables_are_heard,
    nodes_can_pull,
    tags_stay,
)
from ppmlctl.spec.rules.insecure import insecure_choices_are_said
from ppmlctl.spec.rules.literal_secrets import no_secret_is_literal
from ppmlctl.spec.rules.memory import (
    heap_fits_enclave,
    heap_starts_in_enclave,
    requested_epc_holds_enclave,
)
from ppmlctl.spec.rules.target import client_can_submit, enclaves_have_devices, kms_is_known, sandbox_asks_its_own
from ppmlctl.spec.rules.variables import variables_have_free_names
from ppmlctl.spec.rules.workloads import (
    deadlines_can_be_kept,
    kinds_of,
    names_are_unique,
    needs_can_be_met,
    workloads_have_an_image,
)

RULES: tuple[Callable[[Environment], Iterator[Finding]], ...] = (
    variables_have_free_names,
    base_fits_builder,
    enclave_size_is_a_power_of_two,
    manifest_variables_are_heard,
    tags_stay,
    nodes_can_pull,
    findings_have_known_names,
    signer_is_whole,
    heap_fits_enclave,
    heap_starts_in_enclave,
    requested_epc_holds_enclave,
    kms_is_known,
    sandbox_asks_its_own,
    ehsm_keys_fit_what_they_are_for,
    attestation_has_what_it_needs,
    attestation_urls_can_be_split,
    pccs_has_no_path,
    quotes_can_be_verified,
    service_is_weighed,
    deployed_service_can_judge,
    client_can_submit,
    workloads_have_an_image,
    names_are_unique,
    deadlines_can_be_kept,
    needs_can_be_met,
    variables_are_not_the_images,
    words_survive_the_enclave,
    expected_text_is_the_applications,
    enclaves_have_devices,
    encrypted_folders_can_be_opened,
    encrypted_folder_has_one_key,
    no_secret_is_literal,
    insecure_choices_are_said,
)


def check(environment: Environment, of_kind: Mapping[type[Kind], tuple[KindRule, ...]]) -> list[Finding]:
    """Everything that any rule finds; `of_kind` has those that are particular to kinds of workload."""
    found = [finding for rule in RULES for finding in rule(environment)]
    for path, kind in kinds_of(environment):
        found += [finding for rule in of_kind[type(kind)] for finding in rule(environment, path, kind)]
    return found
