"""Sealing as a partner might do it wrongly: AES-256-GCM over OpenSSL, with any owner and field.

cardctl seals only for the holder whose document is in the person; a test needs others, too.
"""

import ctypes
import ctypes.util
import json
import os
from pathlib import Path

GET_TAG = 16  # EVP_CTRL_AEAD_GET_TAG


def _library():
    crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
    crypto.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
    crypto.EVP_aes_256_gcm.restype = ctypes.c_void_p
    return crypto


def aes_gcm(key, nonce, plain, associated):
    """(ciphertext, tag)"""
    crypto = _library()
    context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    out, tag = ctypes.create_string_buffer(len(plain) + 16), ctypes.create_string_buffer(16)
    n = ctypes.c_int(0)
    good = [
        crypto.EVP_EncryptInit_ex(context, ctypes.c_void_p(crypto.EVP_aes_256_gcm()), None, key,
                                  nonce),
        crypto.EVP_EncryptUpdate(context, None, ctypes.byref(n), associated, len(associated)),
        crypto.EVP_EncryptUpdate(context, out, ctypes.byref(n), plain, len(plain)),
        crypto.EVP_EncryptFinal_ex(context, ctypes.create_string_buffer(16), ctypes.byref(n)),
        crypto.EVP_CIPHER_CTX_ctrl(context, GET_TAG, 16, tag)]
    crypto.EVP_CIPHER_CTX_free(context)
    if good != [1] * 5:
        raise RuntimeError("OpenSSL refuses AES-256-GCM")
    return out.raw[:len(plain)], tag.raw


def seal(messages, sealing_key_file, plain, owner, field):
    """A packed Sealed under the active key of the ring."""
    ring = json.loads(Path(sealing_key_file).read_text())
    nonce = os.urandom(12)
    ciphertext, tag = aes_gcm(bytes.fromhex(ring["keys"][str(ring["active"])]), nonce, plain,
                              owner + bytes([field]))
    return messages.common.Sealed(key_id=ring["active"], nonce=nonce, ciphertext=ciphertext,
                                  tag=tag).SerializeToString()
