#!/usr/bin/python3
"""The agent's stack on a device is bounded and known: no recursion, no frame of a variable size, no call through a pointer
that bench/size/stack.py does not list; and bench/size measures what a firmware would keep. Prints the deepest chains. Needs arm-none-eabi-gcc; ends with 77 without it."""
import os
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "bench", "size"))
# pylint: disable=wrong-import-position
import firmware
from stack import ENTRIES, Fault, Tree

FLAGS = ["-std=c99", "-Os", "-fcallgraph-info=su,da"]


def tree_of(source):
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/a.c", "w", encoding="ascii") as out:
            out.write(source)
        target = firmware.MAIN_TARGET
        firmware.run(target.tool("gcc"), *FLAGS, *target.flags, "-c", f"{folder}/a.c", "-o", "a.o", cwd=folder)
        tree = Tree(folder, ["a.o"])
        tree.check_all()
        return tree


class TheAgentsStack(unittest.TestCase):
    def test_is_bounded_with_each_transport(self):
        for transport in firmware.ROOTS:
            with self.subTest(transport=transport), tempfile.TemporaryDirectory() as folder:
                objects = firmware.compile_all(folder, firmware.MAIN_TARGET, firmware.Stack(), transport, ["-Wvla", "-Walloca", "-Werror"])
                tree = Tree(folder, objects)
                tree.check_all()
                for entry in ENTRIES:
                    depth, chain = tree.deepest_of(entry)
                    print(f"{transport}: {entry} {depth} bytes: {', '.join(f'{name} {frame}' for name, frame in chain)}")


class TheAgentsSize(unittest.TestCase):
    def test_is_what_the_linker_keeps(self):
        with tempfile.TemporaryDirectory() as folder:
            objects = firmware.compile_all(folder, firmware.MAIN_TARGET, firmware.Stack(), "azure")
            flash_bytes, ram_bytes, by_object = firmware.link(folder, firmware.MAIN_TARGET, objects)
        print(f"flash {flash_bytes}, RAM {ram_bytes}")
        self.assertIn("wire_encoder.o", by_object)
        self.assertNotIn("agent_port_netxduo_src_azure_twin.o", by_object)  # nobody asks for it
        padding_bytes = flash_bytes - sum(size for name, size in by_object.items() if name != "root.o")
        self.assertTrue(0 <= padding_bytes <= 3 * len(by_object), padding_bytes)
        self.assertGreater(ram_bytes, 64 * (24 + 48))  # the flows' own


class WhatIsNotBoundedIsFound(unittest.TestCase):
    def assert_fault(self, text, source):
        with self.assertRaisesRegex(Fault, text):
            tree_of(source)

    def test_recursion_over_two_functions(self):
        self.assert_fault("recursion", """
            int a(int n); __attribute__((noinline)) int b(int n) { return n > 0 ? 2 + a(n - 1) : 0; }
            __attribute__((noinline)) int a(int n) { return n > 0 ? b(n - 1) * 3 : 0; }""")

    def test_an_array_of_variable_length(self):
        self.assert_fault("no constant size", "void take(char *); void a(int n) { char text[n]; take(text); }")

    def test_alloca(self):
        self.assert_fault("no constant size", "void take(char *); void a(int n) { take(__builtin_alloca(n)); take(0); }")

    def test_a_call_through_a_pointer_that_is_not_listed(self):
        self.assert_fault("does not list", "int a(int (*unheard_of)(void)) { return unheard_of() + 1; }")

    def test_a_chain_is_added_up(self):
        tree = tree_of("""
            void take(char *); __attribute__((noinline)) void b(void) { char text[100]; take(text); take(text); }
            void a(void) { char text[200]; take(text); b(); take(text); }""")
        depth, chain = tree.deepest("a")
        self.assertEqual([name for name, _ in chain], ["a", "b"])
        self.assertTrue(300 <= depth <= 340, depth)


if __name__ == "__main__":
    if shutil.which(firmware.MAIN_TARGET.tool("gcc")) is None:
        print("skipped: arm-none-eabi-gcc is not installed; deploy/install-dependencies tests")
        sys.exit(77)
    unittest.main()
