// The verifier of the FlatBuffers library, for the code that flatc generates from our schema.
#include <cstddef>
#include <cstdint>

#include "security_message_generated.h"

extern "C" int flatbuffers_verifies(const uint8_t *bytes, size_t size_bytes)
{
    flatbuffers::Verifier verifier(bytes, size_bytes);
    return AzureIoTSecurity::VerifyMessageBuffer(verifier) ? 1 : 0;
}
