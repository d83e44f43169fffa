//go:build tools

package tools

import _ "github.com/dtm-labs/dtm"
