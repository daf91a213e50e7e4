#pragma once

#include "sp_kernel.h"
