#pragma once

#include "sp_crypto.h"
