"""What Gramine says."""

from __future__ import annotations

from ppmlctl.explanations.explanation import Explanation

_GRAMINE = "gramineproject/gramine pal/src/host/linux-sgx"
_LIBOS = "gramineproject/gramine libos/src"
_DEVICES = "give the pod sgx.intel.com/enclave and sgx.intel.com/provision, or the devices and the group sgx_prv"

ROWS = (
    Explanation(
        "enclave EINIT failed - Invalid signature",
        "the processor refuses the SIGSTRUCT: changed after signing, or Q1 and Q2 are wrong",
        "sign it again: ppmlctl apply; look at it: ppmlctl enclave inspect",
        f"{_GRAMINE}/host_framework.c; Intel SDM volume 3D, EINIT",
    ),
    Explanation(
        "enclave EINIT failed - Invalid measurement",
        "what was loaded is not what was signed: another manifest, loader or size",
        "compare: ppmlctl enclave measure",
        f"{_GRAMINE}/host_framework.c; Intel SDM volume 3D, EINIT",
    ),
    Explanation(
        "enclave EINIT failed - Invalid enclave attribute",
        "the SIGSTRUCT asks for a feature that this processor lacks, or the token is of another machine",
        "run on a processor with the features that the manifest requires; init.sh makes the token anew",
        f"{_GRAMINE}/host_framework.c; Intel SDM volume 3D, EINIT",
    ),
    Explanation(
        "ECREATE failed in enclave creation ioctl",
        "the enclave's size is no power of two or too large for this processor, or a feature is missing",
        "choose another enclave_size; is-sgx-available shows the largest",
        f"{_GRAMINE}/host_framework.c, gramineproject/gramine issue 557",
    ),
    Explanation(
        "Initializing enclave failed: Operation not permitted (EPERM)",
        "/dev is mounted noexec, the provision device may not be opened, or EINIT refused the signature",
        f"{_DEVICES}; then look for an EINIT line before this one",
        "gramineproject/gramine issues 1217 and 1356",
    ),
    Explanation(
        "load_enclave() failed with error",
        "the enclave did not start; the line before says why",
        "explain the line before this one",
        f"{_GRAMINE}/host_main.c",
    ),
    Explanation(
        "Enclave size is not large enough",
        "manifest, stacks and loader do not fit into enclave_size",
        "raise images.custom.enclave_size, or lower the threads",
        "gramineproject/gramine python/graminelibos/sgx_sign.py",
    ),
    Explanation(
        "Disallowing access to file",
        "the file is neither trusted nor allowed by the manifest",
        "add it to sgx.trusted_files of the manifest's template, and build anew",
        f"{_GRAMINE}/enclave_framework.c",
    ),
    Explanation(
        "This may happen because the current user has insufficient",
        "the SGX device cannot be opened",
        "give the pod sgx.intel.com/enclave and sgx.intel.com/provision, or the devices and the group sgx_prv",
        f"{_GRAMINE}/host_framework.c",
    ),
    Explanation(
        "Permission denied on mapping enclave",
        "/dev is mounted noexec, or a security module forbids executable mappings of the SGX device",
        "remount /dev with exec on the node or in the container; look at SELinux and AppArmor",
        f"{_GRAMINE}/host_framework.c",
    ),
    Explanation(
        "Allocation of EPC memory failed",
        "the EPC has no room for the enclave",
        "run fewer or smaller enclaves on the node; lower images.custom.enclave_size",
        f"{_GRAMINE}/host_framework.c",
    ),
    Explanation(
        "Enclave creation IOCTL failed",
        "the enclave is too large for this processor, or the manifest requires a feature that it lacks",
        "choose another enclave_size; is-sgx-available shows the largest and the features",
        f"{_GRAMINE}/host_framework.c",
    ),
    Explanation(
        "Enclave initialization IOCTL failed",
        "the processor refuses the enclave: its SIGSTRUCT, its attributes, or a driver that forbids the provision key",
        "sign it again: ppmlctl apply; give the pod sgx.intel.com/provision",
        f"{_GRAMINE}/host_framework.c",
    ),
    Explanation(
        "Enclave add-pages IOCTL failed",
        "the EPC, or the memory that backs it, has no room for the enclave",
        "run fewer or smaller enclaves on the node; raise the pod's memory",
        f"{_GRAMINE}/host_framework.c",
    ),
    Explanation(
        "did not perform EADD",
        "the SGX driver is faulty",
        "update the kernel of the node, or its driver",
        f"{_GRAMINE}/host_framework.c",
    ),
    Explanation(
        "Enclave range collides",
        "the enclave's address range meets another one",
        "lower images.custom.enclave_size",
        f"{_GRAMINE}/host_framework.c",
    ),
    Explanation(
        "Cannot find enclave image",
        "Gramine's loader is not where the manifest's tools left it",
        "use one image for signing and running; build the base anew",
        f"{_GRAMINE}/host_framework.c",
    ),
    Explanation(
        "Reading enclave sigstruct failed",
        "there is no SIGSTRUCT beside the manifest: the image is not signed",
        "use the custom image that ppmlctl signed, for executors as well",
        f"{_GRAMINE}/host_framework.c",
        also=("Cannot open sigstruct file",),
    ),
    Explanation(
        "size of sigstruct file … does not match",
        "the SIGSTRUCT was cut or is something else",
        "sign it again: ppmlctl apply",
        f"{_GRAMINE}/host_framework.c",
    ),
    Explanation(
        "Enclave size not a power of two",
        "SGX takes only sizes that are powers of two",
        "choose one as images.custom.enclave_size, such as 16G",
        f"{_GRAMINE}/host_main.c",
    ),
    Explanation(
        "'sgx.max_threads' not found in the manifest",
        "the manifest is of an older Gramine, which says sgx.thread_num",
        "use the Gramine that the base was made with, or rename the key in its template",
        f"{_GRAMINE}/host_main.c",
    ),
    Explanation(
        "There are no available TCS pages left",
        "the enclave has too few threads",
        "raise sgx.max_threads (thread_num) of the manifest; Spark needs some hundred",
        f"{_GRAMINE}/enclave_ocalls.c",
    ),
    Explanation(
        "PAL failed at parsing the manifest",
        "the manifest is no TOML",
        "build and sign it again: ppmlctl apply; the line names the place",
        f"{_GRAMINE}/host_main.c",
        also=("Parsing manifest failed", "Reading manifest failed"),
    ),
    Explanation(
        "Cannot parse '…'",
        "a key of the manifest has a value of the wrong kind",
        "mend bash.manifest.template of the base at the key that the line names, and build anew",
        f"{_GRAMINE}; {_LIBOS}",
    ),
    Explanation(
        "'libos.entrypoint' must be specified in the manifest",
        "the manifest does not say what to run",
        "mend bash.manifest.template of the base at the key that the line names, and build anew",
        f"{_LIBOS}",
    ),
    Explanation(
        "requires support for FSGSBASE CPU instructions",
        "kernel or processor lack FSGSBASE",
        "run Linux 5.9 or later on the node, without `nofsgsbase`",
        f"{_GRAMINE}/host_main.c",
    ),
    Explanation(
        "Gramine with … requires … CPU instruction(s)",
        "the processor lacks instructions that Gramine needs",
        "run on a newer processor; in a virtual machine, pass them through",
        f"{_GRAMINE}/host_main.c",
    ),
    Explanation(
        "EDMM feature was requested in manifest",
        "kernel or processor lack dynamic enclave memory",
        "take sgx.edmm_enable out of the manifest, or run Linux 6.0 or later on a processor with SGX2",
        f"{_GRAMINE}/host_main.c",
    ),
    Explanation(
        "is not trusted or allowed",
        "the file is neither trusted nor allowed by the manifest",
        "add it to sgx.trusted_files of the manifest's template, and build anew",
        f"{_GRAMINE}/enclave_framework.c",
    ),
    Explanation(
        "Could not parse hash of trusted file",
        "the manifest has a trusted file without a usable hash",
        "build and sign it again: ppmlctl apply",
        f"{_GRAMINE}/enclave_framework.c",
        also=("Invalid trusted file in manifest", "of a trusted file … is not a SHA256 hash"),
    ),
    Explanation(
        "Hash of entrypoint does not match",
        "the image has another entry point than was signed",
        "use the image that was signed; sign it again: ppmlctl apply",
        f"{_GRAMINE}/enclave_framework.c",
    ),
    Explanation(
        "Disallowing write/append to a trusted file",
        "the workload writes to a file that the manifest trusts",
        "let it write elsewhere, such as below /ppml/data",
        f"{_GRAMINE}/enclave_framework.c",
        also=("Disallowing creating a trusted file",),
    ),
    Explanation(
        "Detected environment variable '…' with `passthrough = false`",
        "the manifest forbids a variable that the host sets",
        "do not set it, or allow it in loader.env of the template",
        f"{_LIBOS}",
    ),
    Explanation(
        "Gramine detected the following insecure configurations",
        "the manifest trusts the host in the points that the next lines name",
        "look at each: ppmlctl enclave inspect",
        f"{_GRAMINE}/enclave_framework.c",
    ),
    Explanation(
        "Unsupported system call",
        "the program uses a call that Gramine does not offer; many do without",
        "read what follows: it matters only if the program ends there",
        f"{_LIBOS}",
    ),
    Explanation(
        "Failed to get quote (error code",
        "no quote was made; the lines before say by whom",
        "explain the line before this one",
        f"{_GRAMINE}/enclave_platform.c",
        also=("Failed to get QE target info", "Failed to get quote after … attempts"),
    ),
    Explanation(
        "Failed to initialize child process",
        "a forked process got no enclave of its own: often no EPC, or no time",
        "avoid shells that fork in the enclave; run fewer or smaller enclaves on the node",
        f"{_LIBOS}",
    ),
    Explanation(
        "Child process … got disconnected",
        "a forked process ended by force, often for lack of memory",
        "look at the node's memory and EPC",
        f"{_LIBOS}",
    ),
    Explanation(
        "Cannot initialize SGX sealing key",
        "the enclave may not derive the key of an encrypted folder",
        "look at key_name of fs.mounts in the template",
        f"{_LIBOS}",
    ),
    Explanation(
        "Host Linux returned -ENOMEM on munmap()",
        "the process has too many mappings",
        "raise vm.max_map_count on the node",
        f"{_GRAMINE}",
    ),
)
