// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Everything that a program needs.
#include "tidegate/app.h"
#include "tidegate/headers.h"
#include "tidegate/row.h"
#include "tidegate/stream.h"
#include "tidegate/table.h"
