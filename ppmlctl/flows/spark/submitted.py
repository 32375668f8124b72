"""From the arguments of `spark_submit` to what is submitted."""

from __future__ import annotations

from collections.abc import Mapping

from ppmlctl.flows.spark.arguments import SparkSubmitArgs
from ppmlctl.flows.spark.submission import Executor, Process, Security, Submission
from ppmlctl.protection import Attestation, EncryptedFs


def submission_of(args: SparkSubmitArgs, name: str, labels: Mapping[str, str], ca: str | None = None) -> Submission:
    """The run that is called `name`. `ca`: the text of the file by which EHSM is trusted."""
    attestation = args.attestation
    return Submission(
        name=name,
        workload=args.name,
        namespace=args.namespace,
        image=args.image,
        application=_resolved(args.application, args.image_variables),
        service_account=args.service_account,
        mode=args.mode,
        main_class=args.main_class,
        arguments=args.arguments,
        jars=tuple(_resolved(jar, args.image_variables) for jar in args.jars),
        env=args.env,
        conf=args.conf,
        driver=Process(**args.driver.model_dump()),
        executor=Executor(**args.executor.model_dump()),
        security=Security(**args.security.model_dump()),
        attestation=Attestation(**attestation.model_dump()) if attestation else None,
        encrypted_fs=EncryptedFs(**{**args.encrypted_fs.model_dump(), "ca": ca}) if args.encrypted_fs else None,
        epc_request=None if args.epc_request is None else str(args.epc_request),
        device_plugin=args.device_plugin,
        tee=args.tee,
        tdx_device=args.tdx_device,
        image_pull_policy=args.image_pull_policy,
        image_pull_secrets=args.image_pull_secrets,
        claim=args.claim,
        data=args.data,
        address=args.client.address if args.client else None,
        has_keys=args.has_keys,
        deadline=args.deadline,
        driver_port=args.driver_port,
        labels=labels,
    )


def _resolved(location: str, variables: Mapping[str, str]) -> str:
    """`${SPARK_HOME}` and the like, from the image's configuration and never by a shell; unknown ones stay."""
    for name, value in variables.items():
        location = location.replace(f"${{{name}}}", value)
    return location
