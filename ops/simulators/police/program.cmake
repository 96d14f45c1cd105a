target_sources(sim-police PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/simulators/common/sim.c)
