package shellcmd

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// clientOf is how the arguments of a program that transfers files are read; nil for another program.
func clientOf(name string) func(*command) {
	switch name {
	case "curl":
		return (*command).curl
	case "wget", "wget2":
		return (*command).wget
	case "ftp", "tnftp", "lukemftp", "inetutils-ftp", "netkit-ftp", "pftp":
		return (*command).ftp
	case "ncftp", "ncftpput", "ncftpget", "ncftpls", "ftpput", "ftpget":
		return (*command).ncftp
	case "lftp", "lftpget":
		return (*command).lftp
	case "tftp", "tftp-hpa":
		return (*command).tftp
	case "atftp":
		return (*command).atftp
	case "scp", "rcp":
		return (*command).scp
	case "sftp":
		return (*command).sftp
	case "smbclient":
		return (*command).smbclient
	case "smbget":
		return (*command).smbget
	case "mount", "mount.cifs", "mount.smb3", "mount_smbfs", "mount_ftp", "smbmount":
		return (*command).mount
	case "curlftpfs":
		return (*command).curlftpfs
	}
	return nil
}

// An arg is an argument: an option with its value, or a plain one.
type arg struct {
	name  string // "-u", "--user"; empty for a plain one
	value word   // of the option, or the argument itself
	from  int    // where in value.text the value begins ("--user=x", "-ux")
	has   bool
}

func (a arg) text() []byte { return a.value.text[min(a.from, len(a.value.text)):] }

// args splits the arguments: takes are the short options with a value, long the long ones.
func (c *command) args(takes, long string) []arg {
	var out []arg
	w := c.words[1:]
	for i := 0; i < len(w); i++ {
		t := w[i].text
		switch {
		case string(t) == "--":
			for _, x := range w[i+1:] {
				out = append(out, arg{value: x, has: true})
			}
			return out
		case len(t) > 2 && t[0] == '-' && t[1] == '-':
			name, _, eq := bytes.Cut(t, []byte("="))
			a := arg{name: string(name)}
			if eq {
				a.value, a.from, a.has = w[i], len(name)+1, true
			} else if strings.Contains(","+long+",", ","+a.name[2:]+",") && i+1 < len(w) {
				i++
				a.value, a.has = w[i], true
			}
			out = append(out, a)
		case len(t) > 1 && t[0] == '-':
			for j := 1; j < len(t); j++ {
				a := arg{name: "-" + string(t[j])}
				if strings.IndexByte(takes, t[j]) >= 0 {
					if j+1 < len(t) {
						a.value, a.from, a.has = w[i], j+1, true
						j = len(t)
					} else if i+1 < len(w) {
						i++
						a.value, a.has = w[i], true
					}
				}
				out = append(out, a)
			}
		default:
			out = append(out, arg{value: w[i], has: true})
		}
	}
	return out
}

// login reads "user:password" or the like; the password is a secret.
func (c *command) login(t *Transfer, a arg, sep byte, name string) {
	text := a.text()
	i := bytes.IndexByte(text, sep)
	if i < 0 {
		t.User = string(text)
		return
	}
	t.User, t.Password = string(text[:i]), i+1 < len(text)
	c.secret(a.value, a.from+i+1, len(a.value.text), facts.SecretFTP, name)
}

func (c *command) password(t *Transfer, a arg, name string) {
	t.Password = true
	c.secret(a.value, a.from, len(a.value.text), facts.SecretFTP, name)
}

// curlTakes and curlLong are the options of curl(1) 8.5 that take a value and may stand before a URL.
const (
	curlTakes = "AbcCdDeEFHKmoPQrtTuUwxXyYz"
	curlLong  = "user,upload-file,url,output,proxy,proxy-user,quote,range,max-time,connect-timeout,retry,retry-delay,retry-max-time,netrc-file,cacert,capath,cert,cert-type," +
		"key,key-type,pass,ciphers,config,cookie,cookie-jar,data,data-binary,data-raw,data-urlencode,data-ascii,form,form-string,header,user-agent,referer,request,write-out," +
		"limit-rate,interface,local-port,ftp-account,ftp-alternative-to-user,ftp-method,ftp-port,ftp-ssl-ccc-mode,continue-at,dump-header,resolve,connect-to,stderr,trace," +
		"trace-ascii,output-dir,speed-limit,speed-time,max-filesize,time-cond,tls-max,oauth2-bearer,noproxy,preproxy,socks5,socks5-hostname,socks4,socks4a,dns-servers," +
		"keepalive-time,login-options,mail-from,mail-rcpt,max-redirs,pubkey,hostpubmd5,hostpubsha256,tftp-blksize,telnet-option,unix-socket,json,proto,proto-redir,proto-default,rate,create-file-mode"
)

func (c *command) curl() {
	var t Transfer
	var urls []arg
	sends := false
	for _, a := range c.args(curlTakes, curlLong) {
		switch a.name {
		case "", "--url":
			if a.has {
				urls = append(urls, a)
			}
		case "-T", "--upload-file":
			sends = true
		case "-F", "--form", "-d", "--data", "--data-binary", "--data-raw", "--json", "--data-urlencode":
			t.Sends = true
		case "-u", "--user":
			c.login(&t, a, ':', "curl --user")
		case "-U", "--proxy-user":
			c.login(&Transfer{}, a, ':', "curl --proxy-user")
		case "--pass", "--oauth2-bearer":
			c.password(&Transfer{}, a, "curl "+a.name)
		case "-H", "--header":
			c.header(a)
		case "-x", "--proxy":
			c.urls(a.value)
		}
	}
	c.fetched(t, urls, sends || t.Sends)
}

// header hides what a header of HTTP says after "Authorization:".
func (c *command) header(a arg) {
	name, _, found := bytes.Cut(a.text(), []byte(":"))
	if found && (bytes.EqualFold(name, []byte("Authorization")) || bytes.Contains(bytes.ToLower(name), []byte("token")) || bytes.Contains(bytes.ToLower(name), []byte("key"))) {
		c.secret(a.value, a.from+len(name)+1, len(a.value.text), facts.SecretOther, "header "+string(name))
	}
}

// fetched states the URLs of curl and wget. One without a scheme is guessed by its first label, as curl(1) says.
func (c *command) fetched(common Transfer, urls []arg, sends bool) {
	for _, a := range urls {
		c.urls(a.value)
		text := a.text()
		if !bytes.Contains(text, []byte("://")) {
			if bytes.HasPrefix(bytes.ToLower(text), []byte("ftp.")) {
				text = append([]byte("ftp://"), text...)
			} else {
				text = append([]byte("http://"), text...)
			}
		}
		t, ok := c.url(text)
		if !ok {
			continue
		}
		if t.User == "" {
			t.User = common.User
		}
		t.Password = t.Password || common.Password
		t.Sends, t.Fetches = sends, !sends
		c.give(t)
	}
}

func (c *command) wget() {
	var t Transfer
	var urls []arg
	for _, a := range c.args("oaeitTOPUlARDIXBQwE", "ftp-user,ftp-password,user,password,http-user,http-password,proxy-user,proxy-password,output-document,directory-prefix,input-file,"+
		"output-file,append-output,execute,tries,timeout,wait,waitretry,quota,bind-address,limit-rate,user-agent,header,post-data,post-file,body-data,body-file,method,ca-certificate,"+
		"certificate,private-key,level,accept,reject,domains,base,config,restrict-file-names,prefer-family,cut-dirs,referer,load-cookies,save-cookies") {
		switch a.name {
		case "":
			urls = append(urls, a)
		case "--ftp-user", "--user", "--http-user":
			t.User = string(a.text())
		case "--ftp-password", "--password", "--http-password":
			c.password(&t, a, "wget "+a.name)
		case "--proxy-password":
			c.password(&Transfer{}, a, "wget "+a.name)
		case "--post-data", "--post-file", "--body-data", "--body-file":
			t.Sends = true
		case "--header":
			c.header(a)
		}
	}
	c.fetched(t, urls, t.Sends)
}

// ftp reads the clients of the BSDs, netkit and inetutils: "ftp [options] host [port]", "ftp -u URL file", "ftp URL".
func (c *command) ftp() {
	t := Transfer{Protocol: facts.FTP}
	var plain []arg
	for _, a := range c.args("NoPqrsTuxX", "netrc,user,port") {
		switch a.name {
		case "":
			plain = append(plain, a)
		case "-u":
			if bytes.Contains(a.text(), []byte("://")) {
				c.fetched(Transfer{}, []arg{a}, true)
				return
			}
		case "-P":
			t.Port = number(string(a.text()))
		}
	}
	for _, a := range plain {
		c.urls(a.value)
		if u, ok := c.url(a.text()); ok {
			u.Fetches = true
			c.give(u)
			return
		}
	}
	if len(plain) > 0 {
		host := string(plain[0].text())
		if at := strings.LastIndexByte(host, '@'); at >= 0 {
			t.User, host = host[:at], host[at+1:]
		}
		if h, path, ok := strings.Cut(host, ":"); ok && !strings.Contains(path, ":") { // tnftp: host:path
			host, t.Path, t.Fetches = h, path, true
		}
		t.Host = host
	}
	if len(plain) > 1 && number(string(plain[1].text())) != 0 {
		t.Port = number(string(plain[1].text()))
	}
	c.give(t)
}

// ncftp reads ncftpput, ncftpget and busybox' ftpput and ftpget: "[-u user] [-p password] [-P port] host ...".
func (c *command) ncftp() {
	t := Transfer{Protocol: facts.FTP}
	var plain []arg
	for _, a := range c.args("upPftdjmVWrTSBDEX", "username,password,port") {
		switch a.name {
		case "":
			plain = append(plain, a)
		case "-u", "--username":
			t.User = string(a.text())
		case "-p", "--password":
			c.password(&t, a, c.name()+" -p")
		case "-P", "--port":
			t.Port = number(string(a.text()))
		}
	}
	t.Sends, t.Fetches = strings.HasSuffix(c.name(), "put"), strings.HasSuffix(c.name(), "get")
	if len(plain) > 0 {
		c.urls(plain[0].value)
		if u, ok := c.url(plain[0].text()); ok {
			u.Sends, u.Fetches, u.Password = t.Sends, t.Fetches, u.Password || t.Password
			c.give(u)
			return
		}
		t.Host = string(plain[0].text())
	}
	if len(plain) > 1 {
		t.Path = string(plain[1].text())
	}
	c.give(t)
}

// lftp reads "lftp [-u user,password] [-p port] [-e|-c commands] site" and the commands it is given (lftp(1)).
func (c *command) lftp() {
	t := Transfer{Protocol: facts.FTP}
	var site *arg
	stated := false
	for _, a := range c.args("uepfcos", "user,password,env-password") {
		switch a.name {
		case "":
			if site == nil {
				site = &a
			}
		case "-u", "--user":
			c.login(&t, a, ',', "lftp -u")
		case "--password":
			c.password(&t, a, "lftp --password")
		case "-p":
			t.Port = number(string(a.text()))
		case "-e", "-c":
			sub := c.script(a)
			t.Sends, t.Fetches = t.Sends || sub.Sends, t.Fetches || sub.Fetches
			if sub.Host != "" {
				stated = true
				sub.Sends, sub.Fetches = t.Sends, t.Fetches
				c.give(sub)
			}
		}
	}
	if c.name() == "lftpget" {
		t.Fetches = true
	}
	if site != nil {
		c.site(&t, *site)
	} else if stated {
		return
	}
	c.give(t)
}

// site is a URL or a host, that a client of FTP connects to.
func (c *command) site(t *Transfer, a arg) {
	c.urls(a.value)
	if u, ok := c.url(a.text()); ok {
		if u.User == "" {
			u.User = t.User
		}
		if u.Port == 0 && t.Port != 0 {
			u.Port, u.URL = t.Port, ""
		}
		u.Password = u.Password || t.Password
		u.Sends, u.Fetches = t.Sends, t.Fetches
		*t = u
		return
	}
	t.Host = string(a.text())
}

// script reads commands of lftp: what is opened, and in which direction files go. A secret hides all of it.
func (c *command) script(a arg) Transfer {
	t := Transfer{Protocol: facts.FTP}
	for cmd := range bytes.FieldsFuncSeq(a.text(), func(r rune) bool { return r == ';' || r == '\n' || r == '&' || r == '|' }) {
		w := bytes.Fields(cmd)
		if len(w) == 0 {
			continue
		}
		switch string(w[0]) {
		case "put", "mput", "reput":
			t.Sends = true
		case "get", "mget", "pget", "reget", "get1":
			t.Fetches = true
		case "mirror":
			reverse := bytes.Contains(cmd, []byte(" -R")) || bytes.Contains(cmd, []byte("--reverse"))
			t.Sends, t.Fetches = t.Sends || reverse, t.Fetches || !reverse
		case "open", "connect", "user", "login":
			c.opens(&t, w, a)
		}
	}
	c.urls(a.value)
	return t
}

func (c *command) opens(t *Transfer, w [][]byte, a arg) {
	for i := 1; i < len(w); i++ {
		switch {
		case (string(w[i]) == "-u" || string(w[i]) == "--user") && i+1 < len(w):
			i++
			user, pass, found := bytes.Cut(w[i], []byte(","))
			t.User, t.Password = string(user), found
			if at := bytes.Index(a.value.text, pass); found && len(pass) > 0 && at >= 0 {
				c.secret(a.value, at, at+len(pass), facts.SecretFTP, "lftp open -u")
			}
		case (string(w[i]) == "-p" || string(w[i]) == "-e") && i+1 < len(w):
			i++
		case w[i][0] == '-':
		case string(w[0]) == "user" || string(w[0]) == "login":
			if t.User == "" {
				t.User = string(w[i])
			} else if at := bytes.LastIndex(a.value.text, w[i]); at >= 0 {
				t.Password = true
				c.secret(a.value, at, at+len(w[i]), facts.SecretFTP, "lftp user")
			}
		default:
			if u, ok := c.url(bytes.Trim(w[i], `"'`)); ok {
				user, password := t.User, t.Password
				*t = u
				if t.User == "" {
					t.User = user
				}
				t.Password = t.Password || password
			} else {
				t.Host = string(bytes.Trim(w[i], `"'`))
			}
			return
		}
	}
}
