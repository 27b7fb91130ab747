#include <winscard.h>

// What Swift cannot read: macros with casts, and one for each protocol.
static inline LONG acd_pcsc_transmit(SCARDHANDLE card, DWORD protocol, const unsigned char *command, DWORD len,
                                     unsigned char *answer, DWORD *answer_len)
{
    const SCARD_IO_REQUEST *head = protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
    return SCardTransmit(card, head, command, len, 0, answer, answer_len);
}
static const LONG acd_pcsc_ok = SCARD_S_SUCCESS;
static inline int acd_pcsc_is_absent(LONG status)
{
    return status == (LONG)SCARD_E_NO_SMARTCARD || status == (LONG)SCARD_W_REMOVED_CARD;
}
static inline int acd_pcsc_is_idle(LONG status)
{
    return status == (LONG)SCARD_E_NO_READERS_AVAILABLE || status == (LONG)SCARD_E_NO_SERVICE;
}
static inline int acd_pcsc_is_busy(LONG status) { return status == (LONG)SCARD_E_SHARING_VIOLATION; }
