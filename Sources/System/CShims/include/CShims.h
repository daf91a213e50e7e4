#pragma once

#include "sp_crypto.h"
#include "sp_curl.h"
#include "sp_kernel.h"
#include "sp_resolver.h"
#include "sp_tls.h"
