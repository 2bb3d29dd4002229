#!/bin/sh
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0
exec "$DOCUMENT_ROOT/../cgi/site.cgi"
