/* A disk that loses what was not synced, for a process that is killed. Preloaded, it keeps beside a
 * folder what a power cut would leave of it, and brings that up to date only when the process
 * syncs:
 *
 *     FOLDER/picket.db      what the process wrote: the page cache, which outlives a SIGKILL
 *     SHADOW/picket.db      its name and content as of the last fsync of the folder, of the file
 *     SHADOW/.inodes/N      the content of inode N, by whatever name; SHADOW's names are links to
 * them
 *
 * A file's content enters the shadow with fsync or fdatasync of any descriptor of it, page by page;
 * its name, the loss of it, or another file under it with fsync of the folder (POSIX promises no
 * more). power_cut.py makes FOLDER from SHADOW after the kill. What is there at the start counts as
 * synced; subfolders, and files mapped into memory, are left alone.
 *
 * PICKET_POWER_FOLDER, PICKET_POWER_SHADOW: absolute paths, both there. PICKET_POWER_LIES: syncs
 * succeed and do nothing, so that a test can show that it would notice.
 *
 * System calls are made directly: what is below the C library's names stays as it is, sanitizers
 * and all. Whatever fails ends the process with a sentence: a simulation that errs would blame the
 * wrong one. Thread: any. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* A sync takes its time, as on a disk: most kills are to come during one. */
enum { SYNC_US = 1000 };
enum { PAGE = 4096, FILES_MAX = 4096, DESCRIPTORS_MAX = 65536, PATH_BYTES = 4400 };

struct file {
    ino_t inode;
    int live,
        shadow; /* descriptors of our own. Never closed: that would take SQLite's locks away */
    pthread_mutex_t syncing;
    bool *dirty; /* by page; around it, and around the table, `lock` */
    size_t dirty_pages;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files[FILES_MAX];
static size_t file_count;
static struct file *_Atomic of_descriptor[DESCRIPTORS_MAX];
static char folder[4096], shadow[4096];
static bool lies;

static _Noreturn void give_up(const char *what, const char *name)
{
    fprintf(stderr, "power cut simulation: %s %s: %s\n", what, name, strerror(errno));
    abort();
}

static void must(bool done, const char *what, const char *name)
{
    if (!done)
        give_up(what, name);
}

static void path_of(char *path, const char *base, const char *name)
{
    must(snprintf(path, PATH_BYTES, "%s/%s", base, name) < PATH_BYTES, "too long", name);
}

static int open_directly(const char *path, int flags, mode_t mode)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* ---- content ---- */

static void copy_page(const struct file *file, off_t at)
{
    char page[PAGE];
    ssize_t got = syscall(SYS_pread64, file->live, page, sizeof page, at);
    must(got >= 0, "cannot read", "a page");
    must(syscall(SYS_pwrite64, file->shadow, page, (size_t)got, at) == got, "cannot write",
         "a page");
}

/* What was written before it began is in the shadow after it. Of what is written meanwhile, some:
 * as on a disk. */
static void sync_content(struct file *file)
{
    struct stat status;
    pthread_mutex_lock(&file->syncing);
    pthread_mutex_lock(&lock);
    bool *dirty = file->dirty;
    size_t count = file->dirty_pages;
    file->dirty = NULL;
    file->dirty_pages = 0;
    pthread_mutex_unlock(&lock);
    must(fstat(file->live, &status) == 0, "cannot look at", "a file");
    must(syscall(SYS_ftruncate, file->shadow, status.st_size) == 0, "cannot shorten", "a shadow");
    for (size_t page = 0; page < count; page++)
        if (dirty[page])
            copy_page(file, (off_t)page * PAGE);
    pthread_mutex_unlock(&file->syncing);
    free(dirty);
}

/* After the write, not before: a sync in between must not take the mark and miss the bytes. */
static void mark(struct file *file, off_t from, off_t to)
{
    if (to <= from)
        return;
    size_t first = (size_t)from / PAGE, end = (size_t)(to - 1) / PAGE + 1;
    pthread_mutex_lock(&lock);
    if (end > file->dirty_pages) {
        size_t count = end + end / 2;
        file->dirty = realloc(file->dirty, count);
        must(file->dirty != NULL, "no memory", "for pages");
        memset(file->dirty + file->dirty_pages, 0, count - file->dirty_pages);
        file->dirty_pages = count;
    }
    memset(file->dirty + first, 1, end - first);
    pthread_mutex_unlock(&lock);
}

/* ---- files by inode ---- */

static struct file *find(ino_t inode)
{
    for (size_t i = 0; i < file_count; i++)
        if (files[i]->inode == inode)
            return files[i];
    return NULL;
}

static void shadow_of_inode(char *path, ino_t inode)
{
    char name[40];
    snprintf(name, sizeof name, ".inodes/%llu", (unsigned long long)inode);
    path_of(path, shadow, name);
}

/* `synced`: what it holds is on the disk, because somebody wrote it whom we do not watch. With
 * `lock` held. */
static struct file *know(const char *path, ino_t inode, bool synced)
{
    char shadow_path[PATH_BYTES];
    struct stat status;
    struct file *file = calloc(1, sizeof *file);
    must(file != NULL && file_count < FILES_MAX, "no room", path);
    shadow_of_inode(shadow_path, inode);
    unlink(shadow_path); /* of an inode that is used again */
    file->inode = inode;
    pthread_mutex_init(&file->syncing, NULL);
    file->live = open_directly(path, O_RDONLY | O_CLOEXEC, 0);
    must(file->live >= 0, "cannot open", path);
    file->shadow = open_directly(shadow_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    must(file->shadow >= 0, "cannot make", shadow_path);
    must(fstat(file->live, &status) == 0, "cannot look at", path);
    for (off_t at = 0; synced && at < status.st_size; at += PAGE)
        copy_page(file, at);
    files[file_count++] = file;
    return file;
}

static void forget(ino_t inode)
{
    struct file *file = find(inode);
    if (file != NULL)
        file->inode = 0; /* its descriptors stay: see there */
}

/* ---- names ---- */

static void put_name(const char *name)
{
    char live[PATH_BYTES], entry[PATH_BYTES], content[PATH_BYTES];
    struct stat status, there;
    path_of(live, folder, name);
    if (lstat(live, &status) != 0 || !S_ISREG(status.st_mode))
        return;
    pthread_mutex_lock(&lock);
    struct file *file = find(status.st_ino);
    if (file == NULL)
        file = know(live, status.st_ino, true);
    must(fstat(file->shadow, &status) == 0, "cannot look at", name);
    pthread_mutex_unlock(&lock);
    path_of(entry, shadow, name);
    if (lstat(entry, &there) == 0 && there.st_ino == status.st_ino)
        return;
    unlink(entry);
    shadow_of_inode(content, file->inode);
    must(link(content, entry) == 0, "cannot link", entry);
}

static void each_name(const char *path, void (*visit)(const char *name))
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    must(directory != NULL, "cannot read", path);
    while ((entry = readdir(directory)) != NULL)
        if (entry->d_type == DT_REG)
            visit(entry->d_name);
    closedir(directory);
}

static void drop_name(const char *name)
{
    char path[PATH_BYTES];
    struct stat status;
    path_of(path, folder, name);
    if (lstat(path, &status) == 0 || errno != ENOENT)
        return;
    path_of(path, shadow, name);
    unlink(path);
}

static void sync_names(void)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&one_at_a_time);
    each_name(folder, put_name);
    each_name(shadow, drop_name);
    pthread_mutex_unlock(&one_at_a_time);
}

static bool is_folder(int descriptor)
{
    struct stat status, ours;
    return fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode) && stat(folder, &ours) == 0 &&
           status.st_ino == ours.st_ino && status.st_dev == ours.st_dev;
}

__attribute__((constructor)) static void begin(void)
{
    char inodes[PATH_BYTES];
    const char *of = getenv("PICKET_POWER_FOLDER"), *to = getenv("PICKET_POWER_SHADOW");
    if (of == NULL || to == NULL)
        return;
    snprintf(folder, sizeof folder, "%s", of);
    snprintf(shadow, sizeof shadow, "%s", to);
    lies = getenv("PICKET_POWER_LIES") != NULL;
    path_of(inodes, shadow, ".inodes");
    must(mkdir(inodes, 0700) == 0, "cannot make", inodes);
    sync_names();
    unsetenv("LD_PRELOAD"); /* not for its children */
}

/* ---- what the process calls ---- */

static bool is_ours(const char *path)
{
    size_t size = strlen(folder);
    return size > 0 && strncmp(path, folder, size) == 0 && path[size] == '/' &&
           strchr(path + size + 1, '/') == NULL;
}

static int note_descriptor(int descriptor, const char *path, bool made)
{
    struct stat status;
    if (descriptor >= DESCRIPTORS_MAX || fstat(descriptor, &status) != 0 ||
        !S_ISREG(status.st_mode))
        return descriptor;
    pthread_mutex_lock(&lock);
    if (made)
        forget(status.st_ino);
    struct file *file = find(status.st_ino);
    if (file == NULL)
        file = know(path, status.st_ino, !made);
    of_descriptor[descriptor] = file;
    pthread_mutex_unlock(&lock);
    return descriptor;
}

/* Whether it makes the file has to be known for sure. What is not wanted must not be opened at all:
 * closing it would take SQLite's locks away. */
static int open_ours(const char *path, int flags, mode_t mode)
{
    bool only_new = (flags & O_CREAT) && (flags & O_EXCL);
    for (;;) {
        int descriptor = only_new ? -1 : open_directly(path, flags & ~O_CREAT, 0);
        if (descriptor >= 0)
            return note_descriptor(descriptor, path, false);
        if (!only_new && (errno != ENOENT || !(flags & O_CREAT)))
            return -1;
        descriptor = open_directly(path, flags | O_EXCL, mode);
        if (descriptor >= 0)
            return note_descriptor(descriptor, path, true);
        if (only_new || errno != EEXIST)
            return -1;
    }
}

static int opened(const char *path, int flags, va_list arguments)
{
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    return is_ours(path) ? open_ours(path, flags, mode) : open_directly(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int descriptor = opened(path, flags, arguments);
    va_end(arguments);
    return descriptor;
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int descriptor = opened(path, flags, arguments);
    va_end(arguments);
    return descriptor;
}

int close(int descriptor)
{
    if (descriptor >= 0 && descriptor < DESCRIPTORS_MAX)
        of_descriptor[descriptor] = NULL;
    return (int)syscall(SYS_close, descriptor);
}

static struct file *file_of(int descriptor)
{
    return descriptor >= 0 && descriptor < DESCRIPTORS_MAX ? of_descriptor[descriptor] : NULL;
}

/* Appended, or behind what the descriptor wrote before: it stands after it. */
static ssize_t note_behind(int descriptor, ssize_t written)
{
    struct file *file = file_of(descriptor);
    off_t end = file != NULL && written > 0 ? lseek(descriptor, 0, SEEK_CUR) : 0;
    if (end > 0)
        mark(file, end - written, end);
    return written;
}

ssize_t write(int descriptor, const void *bytes, size_t size)
{
    return note_behind(descriptor, syscall(SYS_write, descriptor, bytes, size));
}

ssize_t writev(int descriptor, const struct iovec *pieces, int count)
{
    return note_behind(descriptor, syscall(SYS_writev, descriptor, pieces, count));
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off_t at)
{
    struct file *file = file_of(descriptor);
    ssize_t written = syscall(SYS_pwrite64, descriptor, bytes, size, at);
    if (file != NULL && written > 0)
        mark(file, at, at + written);
    return written;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t at)
    __attribute__((alias("pwrite64")));

int ftruncate64(int descriptor, off_t size)
{
    struct stat before = {0};
    struct file *file = file_of(descriptor);
    if (file != NULL)
        must(fstat(descriptor, &before) == 0, "cannot look at", "a file");
    int result = (int)syscall(SYS_ftruncate, descriptor, size);
    if (file != NULL && result == 0)
        mark(file, size, before.st_size); /* should it grow again, these are not what they were */
    return result;
}

int ftruncate(int descriptor, off_t size) __attribute__((alias("ftruncate64")));

int fsync(int descriptor)
{
    struct file *file = file_of(descriptor);
    if (folder[0] == '\0')
        return (int)syscall(SYS_fsync, descriptor);
    if (lies)
        return 0;
    usleep(SYNC_US);
    if (file != NULL)
        sync_content(file);
    else if (is_folder(descriptor))
        sync_names();
    return 0;
}

int fdatasync(int descriptor) __attribute__((alias("fsync")));
