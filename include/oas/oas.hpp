// All of oas. Start with Session (oas/session.hpp).
#pragma once

#include <oas/array.hpp>
#include <oas/attribute.hpp>
#include <oas/bytes.hpp>
#include <oas/codec.hpp>
#include <oas/condition.hpp>
#include <oas/config.hpp>
#include <oas/db.hpp>
#include <oas/definition.hpp>
#include <oas/error.hpp>
#include <oas/heading.hpp>
#include <oas/query.hpp>
#include <oas/ref.hpp>
#include <oas/scalar.hpp>
#include <oas/session.hpp>
#include <oas/staged.hpp>
#include <oas/store.hpp>
#include <oas/table.hpp>
#include <oas/value.hpp>
