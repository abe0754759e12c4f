package resp

// Texts of errors that several commands share, as Redis has them.
const (
	errSameObject = "ERR source and destination objects are the same"
	errDatabase   = "ERR DB index is out of range"
	errInteger    = "ERR value is not an integer or out of range"
	errInt32      = "ERR value is out of range, value must between -2147483648 and 2147483647"
	errNoLFU      = "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when " +
		"switching between policies at runtime LRU and LFU data will take some time to adjust."
	errWrongPass  = "WRONGPASS invalid username-password pair or user is disabled."
	errNoPassword = "ERR AUTH <password> called without any password configured for the default user. Are you sure " +
		"your configuration is correct?"
	errHelloAuth = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> " +
		"AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the " +
		"same time"
	errClientName = "ERR Client names cannot contain spaces, newlines or special characters."
	errNoCluster  = "ERR This instance has cluster support disabled"
)
