"""The enclave of a base image, its manifest made by the base's own Makefile in a build, with a key to be thrown away.

The step does what BigDL's build of a custom image does, whose script is not part of a base: without attestation the
template is edited, then `make` is called with size, log level and user.

The key is made and deleted within one step of the build, so no layer ever holds it. What the step claims is not
believed: MRENCLAVE is recomputed here, and every trusted file is hashed again, from the image that is going to be used.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.evidence import Evidence
from ppmlctl.modules._enclave_in_image import (
    refuse_changed_files,
    refuse_other_measurement,
    refuse_other_words,
    signed_enclave_of,
)
from ppmlctl.modules._enclave_source import EnclaveSource, copied_source
from ppmlctl.modules.context import Context
from ppmlctl.oci import ENVIRONMENT, TASK
from ppmlctl.sgx.bigdl import other_than_asked

if TYPE_CHECKING:
    from ppmlctl.clients.docker import Build
    from ppmlctl.sgx.bigdl import EnclaveChoices, MeasuredEnclave

_KEY = "/root/.config/gramine/enclave-key.pem"
"""Where `gramine-sgx-sign` looks for a key."""


def enclave_of_build(ctx: Context, image: str, choices: EnclaveChoices, output: str, *, trust: bool) -> EnclaveSource:
    """Builds on `image`, takes manifest and signature out, and removes what was built.

    With `trust`, MRENCLAVE is taken as the build says it. Raises EngineError: what `_enclave_in_image` raises, and
    `docker-build-failed`.
    """
    docker = ctx.engines.docker
    built = docker.build(_build(ctx, image, choices), ctx.tell_or_stop)
    try:
        signed = signed_enclave_of(ctx, built.id, choices.loader, choices.gramine)
    finally:
        docker.remove_image(built.references[0] if built.references else built.id)
    enclave, evidence = signed.enclave, Evidence.VERIFIED
    if trust:
        told = replace(enclave.measurement, mr_enclave=signed.sigstruct.mr_enclave)
        enclave, evidence = replace(enclave, measurement=told), Evidence.NOT_VERIFIED
        refuse_other_words(ctx, image, enclave.manifest_sgx, f"the build on {image}")
    else:
        refuse_other_measurement(signed, f"the build on {image}")
        _refuse_other_choices(signed.enclave, choices, f"the build on {image}")
        refuse_other_words(ctx, image, enclave.manifest_sgx, f"the build on {image}")
        refuse_changed_files(ctx, image, enclave.manifest_sgx)
    source = copied_source(enclave, signed.offsets, output)
    return replace(source, evidence=evidence, has_key_client=signed.has_key_client)


def _refuse_other_choices(enclave: MeasuredEnclave, choices: EnclaveChoices, built: str) -> None:
    if other := other_than_asked(enclave.manifest_sgx, enclave.measurement, choices):
        raise EngineError(
            Diagnostic(
                "enclave-not-as-asked",
                "a build made another enclave than was asked for",
                found=f"{built}: {'; '.join(other)}",
                why="what was asked for stands in ppml.yaml, and plans and people go by it",
                fix=f"see how {choices.makefile} takes G_SGX_SIZE, and {choices.template} its attestation",
            )
        )


def _build(ctx: Context, image: str, choices: EnclaveChoices) -> Build:
    from ppmlctl.clients.docker import Build, generated_context  # noqa: PLC0415 - loads docker

    folder, _, template = choices.template.rpartition("/")
    edit = [] if choices.attested else [f'sed -i \'s/"dcap"/"none"/g\' {shlex.quote(template)}']
    arguments = shlex.join(f"{name}={value}" for name, value in choices.make_arguments.items())
    step = " && ".join(
        [
            f"cd {shlex.quote(folder)}",
            f"mkdir -p {_KEY.rpartition('/')[0]}",
            f"openssl genrsa -3 -out {_KEY} 3072",
            *edit,
            f"env -u XDG_CONFIG_HOME HOME=/root make {arguments}",
            f"rm {_KEY}",
        ]
    )
    return Build(
        f"ppmlctl-stage/{ctx.environment.lower()}:latest",
        generated_context(f"FROM {image}\nUSER 0\nRUN {step}\n"),
        labels={ENVIRONMENT: ctx.environment, TASK: ctx.address},
        network="none",
    )
