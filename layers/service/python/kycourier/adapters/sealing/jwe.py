"""Seals content as a compact JWE that only the partner's private key opens."""

from joserfc.jwe import encrypt_compact

from kycourier.adapters.sealing.recipient_key import RecipientKey, parse_recipient_key
from kycourier.core.errors import EvidenceUnavailableError
from kycourier.core.events.sealed_content import SealedContent
from kycourier.core.redaction import Secret, scrub_traceback

CONTENT_ENCRYPTION = "A256GCM"


class JweSealer:
    """A sealer for one public key: ECDH-ES+A256KW or RSA-OAEP-256, with A256GCM."""

    def __init__(self, key: RecipientKey) -> None:
        self._key = key
        self._header = {
            "alg": key.algorithm,
            "enc": CONTENT_ENCRYPTION,
            "kid": key.kid,
            "cty": "json",
        }

    @scrub_traceback
    def seal(self, content: SealedContent) -> str:
        """Returns the content as a compact JWE, another one at each call.

        Raises:
            EvidenceUnavailableError: the library failed.
        """
        try:
            return encrypt_compact(
                dict(self._header),
                content.expose(),
                self._key.key,
                algorithms=[self._key.algorithm, CONTENT_ENCRYPTION],
            )
        except Exception:  # noqa: BLE001, S110 - the foreign error may hold the content
            pass
        raise EvidenceUnavailableError("sealing failed")


def open_sealer(stored: Secret) -> JweSealer:
    """Reads the partner's public key, and proves it by sealing something.

    Raises:
        UnusableKeyError: nothing can be sealed to it.
        EvidenceUnavailableError: sealing failed.
    """
    sealer = JweSealer(parse_recipient_key(stored))
    sealer.seal(SealedContent(b"{}"))
    return sealer
